"""The Class page: the teacher's desk, and the board for all. In the menu only where a class is led."""

from explorer.ui.shell.menu import Page

PAGE = Page(
    "classroom", "Class", ":material/groups:", "What does the class predict, and who prunes best?", has_facts=True
)
