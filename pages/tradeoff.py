"""Trade-off: ways of pruning compared, each measured at rising compression."""

from explorer.ui import arrival, compare

opened = arrival.opened()
if opened.model is not None:
    compare.arrive()
    compare.page(opened.model, opened.dataset)
