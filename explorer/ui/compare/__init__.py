"""The Compare page: several models side by side."""

from explorer.ui.shell.menu import Page

PAGE = Page("compare", "Compare", ":material/compare_arrows:", "How do several models differ, answer by answer?")
