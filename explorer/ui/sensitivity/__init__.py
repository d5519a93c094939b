"""The Sensitivity page: what each layer costs if it alone is pruned."""

from explorer.ui.shell.menu import Page

PAGE = Page(
    "sensitivity", "Sensitivity", ":material/stacked_bar_chart:", "What does each layer cost if it alone is pruned?"
)
