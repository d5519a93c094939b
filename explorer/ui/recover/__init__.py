"""The Recover page: train what is left, and see what that is worth."""

from explorer.ui.shell.menu import Page

PAGE = Page("recover", "Recover", ":material/trending_up:", "How much does training recover?")
