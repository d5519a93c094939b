"""Recover: train what is left, and see what it is worth."""

from explorer.ui.recover import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
