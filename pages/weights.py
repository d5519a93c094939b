"""Weights: how each layer's weights are spread, what they look like, and what the present setting removes."""

from explorer.ui.shell import arrival
from explorer.ui.weights import page

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
