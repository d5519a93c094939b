"""Moves from a good plan to a neighbour that costs the same: one layer gives up more, another one less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from explorer.analysis.search.families import Planner, between
from explorer.pruning.allocation.curves import Curve
from explorer.pruning.spec import PruneSpec

_FIRST_STEP = 0.06  # of what the plan saves
_SMALLEST_STEP = 0.004
_FAILURES = 4  # in a row, after which the step is halved
_DEARER = 1.6


@dataclass
class Mover:
    """Proposes moves and learns from what was measured.

    The single drops say which layer should give up more and which less. A move that failed makes the layer
    that gave up more dearer, and the one that got units back cheaper: so the joint drop corrects the single ones.
    """

    planner: Planner
    curves: Mapping[str, Curve]
    savings: Mapping[str, Mapping[float, float]]
    price: dict[str, float] = field(default_factory=dict)
    step: float = _FIRST_STEP
    _tried: set[tuple[str, str, float]] = field(default_factory=set)
    _failures: int = 0
    _pair: tuple[str, str] | None = None

    def proposals(self, shares: Mapping[str, float], ceiling: float) -> Iterator[PruneSpec]:
        """Requests at a counted cost of ``ceiling`` or less, the most promising first, until the step changes."""
        saved = sum(self._saving(name, shares.get(name, 0.0)) for name in self.savings)
        for more, less in self._pairs(shares, self.step * saved):
            if (more, less, self.step) in self._tried:
                continue
            self._tried.add((more, less, self.step))
            spec = self._moved(shares, more, less, self.step * saved, ceiling)
            if spec is not None:
                self._pair = (more, less)
                yield spec

    def learn(self, better: bool) -> None:
        """Whether the last proposal was better than the plan it came from."""
        if self._pair is None:
            return
        more, less = self._pair
        factor = 1 / _DEARER if better else _DEARER
        self.price[more] = self.price.get(more, 1.0) * factor
        self.price[less] = self.price.get(less, 1.0) / factor
        self._failures = 0 if better else self._failures + 1
        if better:
            self._tried.clear()
        elif self._failures >= _FAILURES:
            self.shrink()

    def shrink(self) -> bool:
        """Halve the step; False when it is too small to go on."""
        self.step, self._failures = self.step / 2, 0
        return self.step >= _SMALLEST_STEP

    def _pairs(self, shares: Mapping[str, float], amount: float) -> list[tuple[str, str]]:
        """(gives up more, gives up less), by what the curves and the prices expect of the move."""
        up = {name: self._slope(name, shares.get(name, 0.0), amount) for name in self.savings}
        down = {name: self._slope(name, shares.get(name, 0.0), -amount) for name in self.savings}
        pairs = [
            (rise * self.price.get(more, 1.0) - fall * self.price.get(less, 1.0), more, less)
            for more, rise in up.items()
            for less, fall in down.items()
            if more != less and rise is not None and fall is not None
        ]
        return [(more, less) for _, more, less in sorted(pairs)]

    def _slope(self, name: str, share: float, amount: float) -> float | None:
        """What changes in harm when a group saves ``amount`` more (or gives back as much); None when it cannot."""
        other = self._share(name, self._saving(name, share) + amount)
        if other is None or abs(other - share) < 1e-9:
            return None
        return abs(self.curves[name].cost(other) - self.curves[name].cost(share))

    def _moved(
        self, shares: Mapping[str, float], more: str, less: str, amount: float, ceiling: float
    ) -> PruneSpec | None:
        back = self._share(less, self._saving(less, shares.get(less, 0.0)) - amount)
        if back is None:
            return None
        start = {**shares, less: back}
        highest = max(self.savings[more])
        return between(self.planner, start, {**start, more: highest}, ceiling)

    def _saving(self, name: str, share: float) -> float:
        return _read(sorted(self.savings[name].items()), share)

    def _share(self, name: str, saving: float) -> float | None:
        points = sorted((saved, share) for share, saved in self.savings[name].items())
        if not points[0][0] - 1e-9 <= saving <= points[-1][0] + 1e-9:
            return None
        return _read(points, saving)


def _read(points: list[tuple[float, float]], x: float) -> float:
    """The polyline through the points at x, held at both ends."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x <= x1:
            return y1 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
