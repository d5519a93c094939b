"""What a class has said, counted: where it is, what it predicts, why, and all of it as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from explorer.classroom.state import ClassState, Student
from explorer.lessons.lesson import Answer, ChoiceQuestion, CurveQuestion, Predict
from explorer.text.numbers import percent_asked
from explorer.text.spreadsheet import csv_text

_BINS = 10


@dataclass(frozen=True)
class Counted:
    """How many gave each option, or a number in each range."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class AnswerSpread:
    """Where the drawn curves are: at each level the lowest quarter, the middle and the highest quarter."""

    levels: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    n: int


def places(state: ClassState) -> dict[tuple[str, int], tuple[str, ...]]:
    """The names of who is where: (lesson, step from 0), in the order of the course's steps."""
    where: dict[tuple[str, int], list[str]] = {}
    for student in state.students.values():
        where.setdefault((student.lesson, student.step), []).append(student.name)
    return {place: tuple(sorted(names)) for place, names in sorted(where.items())}


def answers_to(state: ClassState, lesson: str, key: str) -> list[Answer]:
    """What was answered to a question, without names."""
    place = f"{lesson}/{key}"
    return [student.answers[place] for student in state.students.values() if place in student.answers]


def reasons_to(state: ClassState, lesson: str, key: str) -> list[str]:
    """The sentences that were given to a question, without names, in alphabetical order: that says nothing of who."""
    place = f"{lesson}/{key}"
    return sorted(student.reasons[place] for student in state.students.values() if place in student.reasons)


def distribution(question: Predict, answers: Sequence[Answer]) -> Counted | AnswerSpread:
    """The answers to a question as counts, or as the spread of the drawn curves."""
    form = question.form
    if isinstance(form, ChoiceQuestion):
        counts = Counter(answers)
        return Counted(form.options, tuple(counts[option] for option in form.options))
    if isinstance(form, CurveQuestion):
        return _spread(form, [answer for answer in answers if isinstance(answer, tuple)])
    width = (form.high - form.low) / _BINS
    bins = Counter(min(_BINS - 1, int((float(a) - form.low) / width)) for a in answers if isinstance(a, float))
    ends = [form.low + width * i for i in range(_BINS + 1)]
    labels = tuple(f"{low:g}–{high:g}{form.unit}" for low, high in pairwise(ends))
    return Counted(labels, tuple(bins[i] for i in range(_BINS)))


def _spread(form: CurveQuestion, curves: Sequence[tuple[float, ...]]) -> AnswerSpread:
    columns = [sorted(column) for column in zip(*curves, strict=True)]
    low, middle, high = (tuple(_quantile(column, q) for column in columns) for q in (0.25, 0.5, 0.75))
    return AnswerSpread(form.levels, low, middle, high, len(curves))


def _quantile(ordered: Sequence[float], q: float) -> float:
    """By linear interpolation between the two next ones."""
    at = q * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def as_csv(state: ClassState) -> str:
    """One row for each thing that was said: by generated names, since there are no others."""
    rows = [row for student in sorted(state.students.values(), key=lambda s: s.name) for row in _rows(student)]
    return csv_text(rows or [_row("", "", "", "", "")])


def _rows(student: Student) -> Iterable[dict[str, object]]:
    for place, answer in sorted(student.answers.items()):
        lesson, _, key = place.partition("/")
        yield _row(student.name, lesson, "prediction", key, _in_words(answer))
    for place, reason in sorted(student.reasons.items()):
        lesson, _, key = place.partition("/")
        yield _row(student.name, lesson, "reason", key, reason)
    outcome = student.entry.outcome if student.entry is not None else None
    if outcome is not None:
        for key, value in (("bytes", outcome.share), ("accuracy", outcome.accuracy), ("drop", outcome.drop)):
            yield _row(student.name, "challenge", "entry", key, value)
    if not student.answers and not student.reasons and outcome is None:
        yield _row(student.name, "", "", "", "")


def _row(name: str, lesson: str, kind: str, key: str, value: object) -> dict[str, object]:
    return {"student": name, "lesson": lesson, "kind": kind, "key": key, "value": value}


def _in_words(answer: Answer) -> object:
    return " ".join(f"{height:g}" for height in answer) if isinstance(answer, tuple) else answer


def level_words(spread: AnswerSpread) -> tuple[str, ...]:
    """The levels as they are written below the axis."""
    return tuple(map(percent_asked, spread.levels))
