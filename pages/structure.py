"""Structure: which units go together, and why."""

from explorer.ui import arrival, structure

opened = arrival.opened()
if opened.model is not None:
    structure.page(opened.model)
