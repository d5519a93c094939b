"""A class as a value: what the teacher has set, and what each student has said. All of it is frozen and JSON-able."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from explorer.classroom.challenge import Challenge, TeamEntry
from explorer.errors import ExplorerError, clean
from explorer.lessons.lesson import Answer
from explorer.types.aliases import JsonDict, JsonObject

MOST_STUDENTS = 200
LONGEST_TEXT = 300
MOST_HIDDEN = 100
LONGEST_NAME = 60
CHALLENGE = "challenge"
"""The activity that is no lesson."""
_VERSION = 1


@dataclass(frozen=True)
class Lead:
    """What the teacher has set for all. ``activity``: a lesson's name, ``CHALLENGE``, or nothing: all run on their own.

    ``step`` is from 0. While it ``is_frozen`` nothing is answered. Where the teacher leads, measurements are shown
    once it ``is_revealed``. ``hide`` names controls, ``message`` is shown above everything.
    """

    activity: str = ""
    step: int = 0
    is_frozen: bool = False
    is_revealed: bool = False
    message: str = ""
    hide: tuple[str, ...] = ()
    shows_names: bool = False


@dataclass(frozen=True)
class Student:
    """One student: a generated name, the place, what was answered, and the entry of the challenge.

    ``answers`` and ``reasons`` are by "lesson/key of the block".
    """

    name: str
    lesson: str = ""
    step: int = 0
    answers: Mapping[str, Answer] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    entry: TeamEntry | None = None

    def of(self, lesson: str) -> dict[str, Answer]:
        """What was answered in a lesson, predictions and sentences, by the key of the block."""
        begin = f"{lesson}/"
        given: dict[str, Answer] = {**self.answers, **self.reasons}
        return {place.removeprefix(begin): answer for place, answer in given.items() if place.startswith(begin)}


@dataclass(frozen=True)
class ClassState:
    """A whole class. ``key`` is the digest of the teacher's key; ``students`` are by the digests of their seats.

    ``n_resets`` says how often answers were taken back, so that a page knows that what it remembers is no more.
    """

    name: str
    code: str
    key: str
    lead: Lead = field(default_factory=Lead)
    students: Mapping[str, Student] = field(default_factory=dict)
    challenge: Challenge = field(default_factory=Challenge)
    n_resets: int = 0

    def with_student(self, seat: str, student: Student) -> ClassState:
        """The same with one student new or changed."""
        return replace(self, students={**self.students, seat: student})

    def to_json(self) -> JsonDict:
        """One JSON-able object, from which :meth:`from_json` makes an equal class."""
        return {"version": _VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, data: object) -> ClassState:
        """The inverse of :meth:`to_json`. Raises ExplorerError for what is no class."""
        try:
            return _read(data)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            fix = "Move the file away; the class then begins anew."
            raise ExplorerError("This is no stored class.", why="Its file is damaged.", fix=fix) from None


def cleaned(text: object, longest: int = LONGEST_TEXT) -> str:
    """A text that somebody typed: one line of letters that print, cut where it is too long."""
    return clean(" ".join(text.split())[:longest], None) if isinstance(text, str) else ""


def _read(data: object) -> ClassState:
    values = dict(_object(data))
    if values.pop("version") != _VERSION:
        raise ValueError("another version")
    lead, students = dict(_object(values.pop("lead"))), _object(values.pop("students"))
    lead["hide"] = tuple(lead["hide"])
    return ClassState(
        name=_text(values.pop("name")),
        code=_text(values.pop("code")),
        key=_text(values.pop("key")),
        lead=Lead(**lead),
        students={_text(seat): _student(_object(student)) for seat, student in students.items()},
        challenge=Challenge(**_object(values.pop("challenge"))),
        n_resets=int(values.pop("n_resets")),
    )


def _student(values: JsonObject) -> Student:
    entry, given = values["entry"], _object(values["answers"])
    return Student(
        name=_text(values["name"]),
        lesson=_text(values["lesson"]),
        step=int(values["step"]),
        answers={place: tuple(a) if isinstance(a, list) else a for place, a in given.items()},
        reasons={place: _text(reason) for place, reason in _object(values["reasons"]).items()},
        entry=None if entry is None else TeamEntry(**_object(entry)),
    )


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
