"""A class of students on one machine: joined by a code, led through lessons, and a board for their challenge.

No screen and no network: the state of a class, its rules, and what is counted of it.
"""

from explorer.classroom.challenge import Challenge, EntryRequest, EntryResult, TeamEntry, board
from explorer.classroom.opening import begin, join_link, served
from explorer.classroom.room import Classroom, Seat
from explorer.classroom.state import CHALLENGE, MOST_STUDENTS, ClassState, Lead, Student

__all__ = [
    "CHALLENGE",
    "MOST_STUDENTS",
    "Challenge",
    "ClassState",
    "Classroom",
    "EntryRequest",
    "EntryResult",
    "Lead",
    "Seat",
    "Student",
    "TeamEntry",
    "begin",
    "board",
    "join_link",
    "served",
]
