"""Weights: how each layer's weights are spread, what they look like, and what the present setting removes."""

from explorer.ui import arrival, weights

opened = arrival.opened()
if opened.model is not None:
    weights.page(opened.model, opened.dataset)
