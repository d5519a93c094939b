"""Δ accuracy: one sign for every face."""

from __future__ import annotations

import re
from pathlib import Path

from explorer.text.delta import as_change, delta_ends, delta_text, delta_with_ends, direction
from explorer.types import Measurement

LIBRARY = Path(__file__).parents[2] / "explorer"


def drop(value: float, low: float | None, high: float | None) -> Measurement:
    return Measurement("drop", value, "fraction", "measured", low, high, n=450)


def test_a_drop_is_written_as_the_change_that_it_is_and_its_interval_turns_with_it() -> None:
    worse = drop(0.004, -0.006, 0.015)
    assert (delta_text(worse), delta_ends(worse)) == ("−0.4 pt", "−1.5 to +0.6 pt")
    assert delta_with_ends(drop(-0.02, None, None)) == "+2.0 pt"
    assert delta_text(drop(0.0, 0.0, 0.0)) == "0.0 pt"
    turned = as_change(worse)
    assert (turned.value, turned.low, turned.high, turned.n) == (-0.004, -0.015, 0.006, 450)


def test_a_change_whose_interval_covers_zero_goes_neither_way() -> None:
    assert direction(drop(0.01, 0.001, 0.02)) == "worse"
    assert direction(drop(-0.01, -0.02, -0.001)) == "better"
    assert direction(drop(0.01, 0.0, 0.02)) == direction(drop(0.01, -0.01, 0.03)) == ""
    assert direction(drop(0.01, None, None)) == "worse"
    assert direction(drop(float("nan"), None, None)) == ""


def test_no_face_prints_a_drop_with_the_sign_of_a_drop() -> None:
    """What is printed or drawn goes through the words for a change."""
    turned = re.compile(r"points\((?!-)[\w.]*drop[\w.]*\)|points of \S+ lost|Points of \S+ lost|drop against dense")
    faces = [path for part in ("cli", "ui", "charts", "tasks", "analysis") for path in (LIBRARY / part).rglob("*.py")]
    hits = {str(path.relative_to(LIBRARY)): turned.findall(path.read_text(encoding="utf-8")) for path in faces}
    assert {path: lines for path, lines in hits.items() if lines} == {}
