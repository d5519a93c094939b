"""One level for all layers, moved until the sum of what they give up is the one that was asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from explorer.pruning.allocation.base import Bounds
from explorer.types import Scores

# A float has no more places than this many halvings reach.
_HALVINGS = 64


class Filling(ABC):
    """An allocation that says what moving groups give up; those whose bounds meet are held."""

    @abstractmethod
    def within(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        """Units to prune by group, of groups that all move."""

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        """As asked: floors and caps of what moves are left out of account."""
        free = {name: Bounds(0, len(scores.values[name])) for name, b in bounds.items() if b.low < b.high}
        return self.within(scores, free) | {name: b.low for name, b in bounds.items() if name not in free}

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        """As far as the bounds allow it."""
        moving = {name: b for name, b in bounds.items() if b.low < b.high}
        return self.within(scores, moving) | {name: b.low for name, b in bounds.items() if name not in moving}


def filled(at: Callable[[float], Mapping[str, float]], bounds: Mapping[str, Bounds], n: int) -> dict[str, int]:
    """Units to prune by group, within ``bounds``, ``n`` in all wherever the bounds allow that many.

    ``at(level)`` gives the units that each group would give up at a level from 0 to 1; none of them falls as
    the level rises. Where the groups together jump over ``n`` at one level, each goes the same part of its own jump.
    Whole units come from the largest remainders, ties in the order of the groups.
    """
    n = min(max(n, sum(b.low for b in bounds.values())), sum(b.high for b in bounds.values()))
    below = {name: float(b.low) for name, b in bounds.items()}
    above = {name: float(b.high) for name, b in bounds.items()}
    low, high = 0.0, 1.0
    for level in _levels(low, high):
        middle = (low + high) / 2 if level is None else level
        counts = _within(at(middle), bounds)
        if sum(counts.values()) <= n:
            below, low = counts, middle
        else:
            above, high = counts, middle
    return _whole(_between(below, above, n), bounds, n)


def _levels(low: float, high: float) -> list[float | None]:
    """Both ends, then the middle of what is left, again and again."""
    return [high, low, *[None] * _HALVINGS]


def _within(counts: Mapping[str, float], bounds: Mapping[str, Bounds]) -> dict[str, float]:
    return {name: min(max(counts[name], float(b.low)), float(b.high)) for name, b in bounds.items()}


def _between(below: Mapping[str, float], above: Mapping[str, float], n: int) -> dict[str, float]:
    gap = math.fsum(above.values()) - math.fsum(below.values())
    part = (n - math.fsum(below.values())) / gap if gap > 0 else 0.0
    return {name: low + part * (above[name] - low) for name, low in below.items()}


def _whole(shares: Mapping[str, float], bounds: Mapping[str, Bounds], n: int) -> dict[str, int]:
    """Real numbers made whole, so that they sum to ``n`` and stay within the bounds."""
    # What is whole but for the last places of a float counts as whole.
    counts = {name: bounds[name].clamp(math.floor(value + 1e-9)) for name, value in shares.items()}
    by_remainder = sorted(shares, key=lambda name: counts[name] - shares[name])
    while missing := n - sum(counts.values()):
        step = 1 if missing > 0 else -1
        movable = [name for name in by_remainder[::step] if bounds[name].clamp(counts[name] + step) != counts[name]]
        counts |= {name: counts[name] + step for name in movable[: abs(missing)]}
    return counts
