"""Δ accuracy: pruned minus dense on the same samples, negative is worse. One sign on every face.

Of a metric that should be low the change is pruned minus dense as well, so positive is worse.

Results and JSON hold the same number as ``drop``, dense minus pruned: whoever prints or draws one comes through here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from explorer.text.numbers import change, change_between

if TYPE_CHECKING:
    from explorer.types import Measurement

DELTA = "Δ accuracy"
IN_POINTS = f"{DELTA}, pt"
NOTHING_REMOVED = "nothing removed"
"""The note of a drop where the model is the dense one: nothing is compared, so there is no interval."""
Direction = Literal["worse", "better", ""]


def named(judged: str) -> str:
    """The change of what a model is evaluated by: "Δ accuracy", "Δ R2"."""
    return f"Δ {judged}"


def worse_is_up(drop: Measurement) -> bool:
    """Whether the metric is one of which less is better, so that what is worse has risen."""
    return drop.best in ("lowest", "zero")


def delta(drop: Measurement) -> float:
    """The change that a drop is, in its own unit; zero has no sign. What should be low has risen where it is worse."""
    return (drop.value if worse_is_up(drop) else -drop.value) if drop.value else 0.0


def delta_text(drop: Measurement) -> str:
    """ "−0.4 pt" of a share, "+0.031 nats" of anything else."""
    return change(delta(drop), drop.unit)


def change_of_mean(like: Measurement, mean_drop: float) -> str:
    """The change that a mean of such drops is."""
    return delta_text(replace(like, value=mean_drop))


def delta_ends(drop: Measurement) -> str:
    """The interval of the change: "−1.5 to +0.6 pt", or that nothing was removed; nothing where none is there."""
    if drop.low is None and drop.note == NOTHING_REMOVED:
        return NOTHING_REMOVED
    turned = as_change(drop)
    return change_between(turned.low, turned.high, drop.unit)


def in_unit(drop: Measurement) -> str:
    """What changes are counted in, in a word: points of shares, nats; nothing for a plain number."""
    return "pt" if drop.unit == "fraction" else "nats" if drop.unit == "nats" else ""


def unit_words(drop: Measurement) -> str:
    """The same behind a name: "Δ accuracy in points", "Δ loss in nats"; nothing for a plain number."""
    unit = in_unit(drop)
    return {"": "", "pt": " in points"}.get(unit, f" in {unit}")


def delta_short(drop: Measurement) -> str:
    """The change without its unit: "−2.3"."""
    return delta_text(drop).removesuffix(" pt").removesuffix(f" {drop.unit}")


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
    if worse_is_up(drop):
        return replace(drop, name="delta", value=delta(drop))
    low, high = (None if end is None else -end for end in (drop.high, drop.low))
    return replace(drop, name="delta", value=delta(drop), low=low, high=high)
