"""What a layer costs at rising shares, as a curve that never falls: kept as pairs, smoothed, read both ways."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.params.numerals import real

_AT = "@"


def isotonic(values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """The rising values nearest to ``values`` in (weighted) least squares, by pooling adjacent violators.

    Source: Barlow et al. 1972, Statistical Inference under Order Restrictions, section 1.2.
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many values
    for value, weight in zip(values, weights or [1.0] * len(values), strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, u, n), (b, v, m) = blocks[-2:]
            blocks[-2:] = [((a * u + b * v) / (u + v), u + v, n + m)]
    return [mean for mean, _, n in blocks for _ in range(n)]


@dataclass(frozen=True)
class Curve:
    """A rising polyline from (0, 0) to share 1. ``shares`` rise strictly, ``costs`` never fall."""

    shares: tuple[float, ...]
    costs: tuple[float, ...]

    @classmethod
    def smoothed(cls, points: Iterable[tuple[float, float]], at_end: float = 1.0) -> Curve:
        """The curve of measured (share, cost) pairs.

        Nothing pruned costs nothing, so a cost below 0 is noise and counts as 0. Beyond the last measured share
        the cost rises to ``at_end`` at share 1, or stays where it is above that already.
        """
        measured = sorted(dict(points).items())
        inner = [(share, cost) for share, cost in measured if share > 0.0]
        costs = [max(0.0, cost) for cost in isotonic([cost for _, cost in inner])]
        shares = [share for share, _ in inner]
        if not shares or shares[-1] < 1.0:
            shares.append(1.0)
            costs.append(max(at_end, costs[-1] if costs else 0.0))
        return cls((0.0, *shares), (0.0, *costs))

    def cost(self, share: float) -> float:
        """The cost at a share from 0 to 1, linear between the points."""
        at = min(max(bisect_left(self.shares, share), 1), len(self.shares) - 1)
        return _line(share, self.shares[at - 1 : at + 1], self.costs[at - 1 : at + 1])

    def share(self, cost: float) -> float:
        """The largest share that costs no more than ``cost``; 0 below a cost of 0."""
        if cost < 0.0:
            return 0.0
        at = bisect_right(self.costs, cost)
        if at == len(self.costs):
            return 1.0
        return _line(cost, self.costs[at - 1 : at + 1], self.shares[at - 1 : at + 1])


def _line(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    return ys[0] + (ys[1] - ys[0]) * (x - xs[0]) / (xs[1] - xs[0])


def named_point(group: str, share: float) -> str:
    """The name under which a curve's point is kept: ``"conv1@0.5"``."""
    return f"{group}{_AT}{share:.9g}"


def points_by_group(pairs: Iterable[tuple[str, float]]) -> Mapping[str, list[tuple[float, float]]]:
    """The inverse for all points: {group: [(share, cost), ...]}. ExplorerError for a name without a share."""
    points: dict[str, list[tuple[float, float]]] = {}
    for name, cost in pairs:
        group, _, text = name.rpartition(_AT)
        try:
            share = real(text)
        except ValueError:
            share = -1.0
        if not group or not 0.0 <= share <= 1.0:
            raise ExplorerError(
                f"{name!r} is no point of a curve.",
                why="It must be LAYER@SHARE with a share from 0 to 1.",
                fix="Write it as conv1@0.5.",
            )
        points.setdefault(group, []).append((share, cost))
    return points
