"""What a drawn curve is told, and what of it is taken."""

from __future__ import annotations

import json
import math

import pytest

from explorer import component
from explorer.component.drawing import Axes
from explorer.errors import ExplorerError

AXES = Axes(("10%", "90%"), 0.0, 100.0, "%", "share", "accuracy")


def test_a_curve_comes_back_as_it_was_drawn() -> None:
    assert component.parse_curve(None, AXES) is None
    assert component.parse_curve([12.5, 100], AXES) == (12.5, 100.0)


def test_what_no_browser_of_ours_sends_is_refused() -> None:
    for value in (
        [1.0],
        [1.0, 2.0, 3.0],
        [1.0, "2"],
        [1.0, None],
        [-1.0, 2.0],
        [1.0, 101.0],
        [1.0, math.nan],
        "ab",
        {},
    ):
        with pytest.raises(ExplorerError, match="no curve"):
            component.parse_curve(value, AXES)


def test_what_the_module_is_told_is_plain_json() -> None:
    part = component.drawing_part(AXES, (1.23456, 2.0), words="Draw it.", is_locked=True)
    assert json.loads(json.dumps(part)) == part
    assert part["heights"] == [1.2346, 2.0]
    assert part["locked"] is True
    assert component.drawing_part(AXES, None, words="Draw it.")["heights"] is None


def test_a_histogram_says_which_of_its_parts_are_left_out() -> None:
    assert "hide" not in component.static_part((), {})
    assert component.static_part((), {}, hide=("mode", "tools"))["hide"] == ["mode", "tools"]
