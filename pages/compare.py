"""Compare: two to eight models side by side."""

from explorer.ui.compare import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
