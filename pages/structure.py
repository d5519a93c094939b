"""Structure: which units are coupled, and why."""

from explorer.ui.shell import arrival
from explorer.ui.structure import page

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
