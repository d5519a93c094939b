"""The Check page: is it fit to be deployed?"""

from explorer.ui.shell.menu import Page

PAGE = Page("check", "Check", ":material/verified:", "May it be deployed in the place of the dense model?")
