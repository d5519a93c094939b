"""Recover: train what is left, and see what it is worth."""

from explorer.ui import arrival, recover

opened = arrival.opened()
if opened.model is not None:
    recover.page(opened.model, opened.dataset)
