"""The Weights page: how each layer's weights are spread."""

from explorer.ui.shell.menu import Page

PAGE = Page("weights", "Weights", ":material/grid_on:", "What do the weights of each layer look like?")
