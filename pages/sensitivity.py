"""Sensitivity: what each layer costs if it alone is pruned."""

from explorer.ui import arrival, sensitivity

opened = arrival.opened()
if opened.model is not None:
    sensitivity.page(opened.model, opened.dataset)
