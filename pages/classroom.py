"""Class: the teacher's desk and the board, where the app leads a class."""

from explorer.ui.classroom import page
from explorer.ui.shell import arrival

arrival.opened()
page.draw()
