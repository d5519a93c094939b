"""Trade-off: methods compared, each measured at rising compression."""

from explorer.ui.shell import arrival
from explorer.ui.tradeoff import page

opened = arrival.opened()
if opened.model is not None:
    page.arrive()
    page.draw(opened.model, opened.dataset)
