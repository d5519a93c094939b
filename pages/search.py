"""Budget: the smallest model within a drop, or the most accurate one within a budget."""

from explorer.ui import arrival, search

opened = arrival.opened()
if opened.model is not None:
    search.page(opened.model, opened.dataset)
