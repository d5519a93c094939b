"""Quantize: pruning and number formats together, and activations that can be skipped."""

from explorer.ui import arrival, quantize

opened = arrival.opened()
if opened.model is not None:
    quantize.page(opened.model, opened.dataset)
