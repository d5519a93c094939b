"""Learn: lessons that ask for a prediction, and measure."""

from explorer.ui.learn import page
from explorer.ui.shell import arrival

opened = arrival.opened()
if opened.model is not None:
    page.draw(opened.model, opened.dataset)
