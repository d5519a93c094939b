"""Δ accuracy: pruned minus dense on the same samples, negative is worse. One sign on every face.

Results and JSON hold the same number as ``drop``, dense minus pruned: whoever prints or draws one comes through here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from explorer.text.numbers import points, points_between

if TYPE_CHECKING:
    from explorer.types import Measurement

DELTA = "Δ accuracy"
IN_POINTS = f"{DELTA}, pt"
Direction = Literal["worse", "better", ""]


def named(judged: str) -> str:
    """The change of what a model is evaluated by: "Δ accuracy", "Δ R2"."""
    return f"Δ {judged}"


def delta(drop: Measurement) -> float:
    """The change that a drop is; zero has no sign."""
    return -drop.value if drop.value else 0.0


def delta_text(drop: Measurement) -> str:
    """ "−0.4 pt"."""
    return points(-drop.value)


def delta_ends(drop: Measurement) -> str:
    """The interval of the change: "−1.5 to +0.6 pt"; nothing where none is there."""
    return "" if drop.low is None or drop.high is None else points_between(-drop.high, -drop.low)


def delta_with_ends(drop: Measurement) -> str:
    """ "−0.4 pt (−1.5 to +0.6 pt)"."""
    ends = delta_ends(drop)
    return delta_text(drop) + (f" ({ends})" if ends else "")


def direction(drop: Measurement) -> Direction:
    """Which way the change goes; neither where its interval covers zero. Without an interval its sign tells."""
    if math.isnan(drop.value):
        return ""
    low, high = (drop.value if end is None else end for end in (drop.low, drop.high))
    return "worse" if low > 0 else "better" if high < 0 else ""


def as_change(drop: Measurement) -> Measurement:
    """The same difference as pruned minus dense, its interval turned with it."""
    low, high = (None if end is None else -end for end in (drop.high, drop.low))
    return replace(drop, name="delta", value=delta(drop), low=low, high=high)
