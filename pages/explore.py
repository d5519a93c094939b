"""Explore: drag a line on a histogram, watch the measured accuracy."""

from explorer.ui.explore import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
