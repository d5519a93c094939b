"""The Learn page: short lessons that measure."""

from explorer.ui.shell.menu import Page

PAGE = Page(
    "learn",
    "Learn",
    ":material/school:",
    "What happens when a network is pruned, and why?",
    has_facts=True,
)
