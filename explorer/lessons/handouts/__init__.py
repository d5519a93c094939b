"""A lesson on paper and as a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.lessons.handouts import notebook, page
from explorer.lessons.languages import Translate, english
from explorer.lessons.lesson import Lesson
from explorer.store.atomic import write_text

FORMS: dict[str, Callable[[Lesson, bool, Translate], str]] = {".html": page.text, ".ipynb": notebook.text}
"""The endings that a hand-out can have, and what makes each."""


def handout(lesson: Lesson, ending: str, *, is_teachers: bool = False, t: Translate = english) -> str:
    """The lesson as a page to print (".html") or as a notebook (".ipynb"); the teacher's has the answers.

    Raises ExplorerError for another ending.
    """
    if ending not in FORMS:
        raise ExplorerError(f"There is no hand-out {ending!r}.", fix=f"Choose one of: {', '.join(FORMS)}.")
    return FORMS[ending](lesson, is_teachers, t)


def write(
    lesson: Lesson, path: Path, *, is_teachers: bool = False, t: Translate = english, force: bool = False
) -> Path:
    """Put the hand-out at ``path``. Raises ExplorerError for another ending, and for a file that is there already."""
    text = handout(lesson, path.suffix, is_teachers=is_teachers, t=t)
    if path.exists() and not force:
        raise ExplorerError(f"{path} is there already.", fix="Give another name, or --force to replace it.")
    write_text(path, text)
    return path
