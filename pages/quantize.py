"""Quantize: pruning and number formats together, and activations that can be skipped."""

from explorer.ui.quantize import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
