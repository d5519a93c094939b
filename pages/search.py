"""Budget: the smallest model within a drop, or the most accurate one within a budget."""

from explorer.ui.search import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
