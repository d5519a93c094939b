"""A page's entry in the menu, as somebody adds one."""

from explorer.ui.shell.menu import Page

PAGE = Page("hello", "Hello", ":material/waving_hand:", "What is open?")
