"""Explore: drag a line on a histogram, watch the measured accuracy."""

from explorer.ui import arrival, explore

opened = arrival.opened()
if opened.model is not None:
    explore.page(opened.model, opened.dataset)
