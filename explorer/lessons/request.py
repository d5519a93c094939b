"""What a lesson measures at one place, as one request: the same for the page, the command line and the tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.lessons.lesson import Ask
from explorer.lessons.readings import Reading, labelled
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import part, several, text
from explorer.types.stopping import check

Readings = tuple[Reading, ...]


def _ask(value: object) -> Ask:
    if not isinstance(value, Ask):
        raise ExplorerError(f"{value!r} is nothing that can be measured.", fix="Give what a lesson asks.")
    return value


@dataclass(frozen=True)
class LessonRequest(TaskRequest[Readings]):
    """Measure each of ``asks``, in order; ``lesson`` says for which, and makes no other work of it."""

    kind: ClassVar[str] = "lesson"
    unit: ClassVar[str] = "measurements"

    asks: tuple[Ask, ...] = part(several(_ask))
    lesson: str = part(text, "", in_key=False)

    def title(self, context: Context) -> str:
        """ "measurement of a lesson: histogram"."""
        return f"measurement of a lesson: {self.lesson}"

    def size(self, context: Context) -> int:
        """One a question."""
        return len(self.asks)

    def run(self, context: Context) -> Iterator[Readings]:
        """The readings of each question."""
        for ask in self.asks:
            check()
            yield labelled(ask.measure.readings(context), ask.label)
