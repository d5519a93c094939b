"""Sensitivity: what each layer costs if it alone is pruned."""

from explorer.ui.sensitivity import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
