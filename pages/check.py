"""Check: a verdict before a model is deployed."""

from explorer.ui.check import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
