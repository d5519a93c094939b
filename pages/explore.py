"""Explore: drag a line on a histogram, watch the measured accuracy."""

from explorer.ui import explore, frame

opened = frame.opened()
if opened.model is not None:
    explore.page(opened.model, opened.dataset)
