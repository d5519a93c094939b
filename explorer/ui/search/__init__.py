"""The Budget page: the best plan under a budget."""

from explorer.ui.shell.menu import Page

PAGE = Page("search", "Budget", ":material/search:", "What is the best model within a budget?")
