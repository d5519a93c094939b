"""The Trade-off page: methods compared at rising compression."""

from explorer.ui.shell.menu import Page

PAGE = Page("tradeoff", "Trade-off", ":material/show_chart:", "Which method is better here, and better than chance?")
