"""The Structure page: which units are coupled, and why."""

from explorer.ui.shell.menu import Page

PAGE = Page("structure", "Structure", ":material/account_tree:", "Which units are coupled, and why?")
