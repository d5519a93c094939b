"""What a class has said, counted without names, and as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np

from explorer import lessons
from explorer.classroom import tally
from explorer.classroom.challenge import EntryResult, TeamEntry
from explorer.classroom.state import ClassState, Student

STATE = ClassState("7b", "ABCDE", "")
CHANNELS = lessons.lesson("channels")


def of(*students: Student) -> ClassState:
    return replace(STATE, students={str(number): student for number, student in enumerate(students)})


def test_numbers_are_counted_in_ten_ranges_and_the_ends_belong_to_them() -> None:
    question = CHANNELS.prediction("left")
    counted = tally.distribution(question, [0.0, 9.9, 10.0, 55.0, 100.0])
    assert isinstance(counted, tally.Counted)
    expected, _ = np.histogram([0.0, 9.9, 10.0, 55.0, 100.0], bins=10, range=(0, 100))
    assert list(counted.counts) == expected.tolist()
    assert counted.labels[0] == "0–10%"


def test_options_that_nobody_chose_are_counted_as_none() -> None:
    question = next(p for p in lessons.lesson("budget").predictions if p.form.kind == "choice")
    first = question.form.options[0]  # type: ignore[union-attr]
    counted = tally.distribution(question, [first, first])
    assert isinstance(counted, tally.Counted)
    assert counted.counts == (2, *(0,) * (len(counted.labels) - 1))


def test_curves_are_shown_by_their_quarters() -> None:
    question = CHANNELS.prediction("curve")
    curves = [(90.0, 70.0, 50.0, 30.0, 10.0), (100.0, 80.0, 60.0, 40.0, 20.0), (50.0, 40.0, 30.0, 20.0, 0.0)]
    spread = tally.distribution(question, curves)
    assert isinstance(spread, tally.AnswerSpread)
    low, middle, high = np.quantile(curves, (0.25, 0.5, 0.75), axis=0)
    assert np.allclose((spread.low, spread.middle, spread.high), (low, middle, high))
    assert tally.distribution(question, []).n == 0  # type: ignore[union-attr]


def test_places_name_who_is_where() -> None:
    state = of(Student("b", "channels", 1), Student("a", "channels", 1), Student("c"))
    assert tally.places(state) == {("", 0): ("c",), ("channels", 1): ("a", "b")}


def test_the_table_has_one_row_for_each_thing_said_and_no_formula() -> None:
    outcome = EntryResult("m", 0.24, 0.98, 0.005, None, None, 450)
    state = of(
        Student("b", answers={"channels/curve": (1.0, 2.5)}, reasons={"channels/square": "=1+1"}),
        Student("a", entry=TeamEntry({}, outcome)),
        Student("c"),
    )
    rows = list(csv.DictReader(io.StringIO(tally.as_csv(state))))
    assert [(row["student"], row["kind"], row["key"], row["value"]) for row in rows] == [
        ("a", "entry", "bytes", "0.24"),
        ("a", "entry", "accuracy", "0.98"),
        ("a", "entry", "drop", "0.005"),
        ("b", "prediction", "curve", "1 2.5"),
        ("b", "reason", "square", "'=1+1"),
        ("c", "", "", ""),
    ]
