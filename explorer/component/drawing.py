"""A curve to be drawn by hand: an empty chart with one handle above each level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.params.numerals import real, short
from explorer.types.aliases import JsonDict


@dataclass(frozen=True)
class Axes:
    """The chart: its levels in words, heights from ``low`` to ``high`` in ``unit``, and the titles of both axes."""

    levels: tuple[str, ...]
    low: float
    high: float
    unit: str
    across: str
    up: str


def drawing_part(axes: Axes, heights: Sequence[float] | None, *, words: str, is_locked: bool = False) -> JsonDict:
    """What the module is told; ``words`` says to a screen reader what is drawn. A locked curve is only looked at."""
    return {
        "levels": list(axes.levels),
        "heights": None if heights is None else [round(float(height), 4) for height in heights],
        "low": axes.low,
        "high": axes.high,
        "unit": axes.unit,
        "across": axes.across,
        "up": axes.up,
        "words": words,
        "locked": is_locked,
    }


def parse_curve(value: object, axes: Axes) -> tuple[float, ...] | None:
    """The checked heights, or None where nothing was drawn. Raises ExplorerError for what no browser of ours sends."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != len(axes.levels) or any(isinstance(each, str) for each in value):
        raise _refused(value)
    try:
        return tuple(real(each, axes.low, axes.high) for each in value)
    except ValueError:
        raise _refused(value) from None


def _refused(given: object) -> ExplorerError:
    why = f"It was {short(given, 60)}."
    return ExplorerError("The chart sent something that is no curve.", why=why, fix="Reload the page.")
