"""Lessons on pruning: one Markdown file each in ``texts``, and one line for it below, in the order of a course.

Every number in a lesson is measured when the lesson is taken; a prediction is locked before that. ``tests/lessons``
measures every claim.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from explorer.errors import ExplorerError
from explorer.lessons.lesson import Lesson
from explorer.lessons.parser import parse

MEMBERS: tuple[str, ...] = (
    "histogram",
    "threshold",
    "sensitivity",
    "budget",
    "recovery",
    "channels",
    "time",
    "files",
    "tickets",
    "harm",
    "language",
)


@cache
def lesson(name: str) -> Lesson:
    """The lesson of that name. Raises ExplorerError where there is none, and for a file that is no lesson."""
    if name not in MEMBERS:
        raise ExplorerError(f"There is no lesson {name!r}.", fix=f"Choose one of: {', '.join(MEMBERS)}.")
    return parse(name, (files(__name__) / "texts" / f"{name}.md").read_text(encoding="utf-8"))


def lessons() -> tuple[Lesson, ...]:
    """All lessons, in the order of a course."""
    return tuple(map(lesson, MEMBERS))
