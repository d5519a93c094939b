"""Several seeds as one curve: the mean at each level, and how far chance moved it."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.analysis.comparison.protocol import essence
from explorer.types import TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject

# Fewer operating points are no curve (Blalock et al. 2020, arXiv:2003.03033, section 6).
FEWEST_POINTS = 5


@dataclass(frozen=True)
class Level:
    """The points of one asked level, one for each seed, in the order given."""

    points: tuple[TradeOffPoint, ...]

    @property
    def asked(self) -> tuple[str, float]:
        """What its points were asked for: ("ratio", 8.0) or ("sparsity", 0.9). Equal = the same operating point."""
        return asked_of(self.points[0])

    @property
    def n_seeds(self) -> int:
        return len(self.points)

    @property
    def accuracy(self) -> float:
        """The mean over seeds."""
        return self.mean(lambda p: p.accuracy.value)

    @property
    def drop(self) -> float:
        """The mean over seeds."""
        return self.mean(lambda p: p.drop.value)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest accuracy of its seeds: a range, not an interval."""
        values = [p.accuracy.value for p in self.points]
        return min(values), max(values)

    @property
    def band(self) -> tuple[float, float] | None:
        """What a chart shades: the spread of several seeds, the 95 % interval of one; None where it has none."""
        measured = self.points[0].accuracy
        if self.n_seeds > 1:
            return self.spread
        return None if measured.low is None or measured.high is None else (measured.low, measured.high)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the accuracy over seeds (n - 1); None for one seed."""
        return statistics.stdev(p.accuracy.value for p in self.points) if self.n_seeds > 1 else None

    @property
    def middle(self) -> TradeOffPoint:
        """The seed nearest to the mean: a setting that can be opened; the first of equals."""
        return min(self.points, key=lambda p: abs(p.accuracy.value - self.accuracy))

    def mean(self, value: Callable[[TradeOffPoint], float]) -> float:
        """The mean of any number of its points."""
        return statistics.fmean(value(p) for p in self.points)

    def to_json(self) -> JsonDict:
        """One object: the mean, its spread and deviation, and how many seeds."""
        low, high = self.spread
        return {
            "asked": self.mean(lambda p: p.asked),
            "asked_ratio": self.points[0].asked_ratio,
            "sparsity": self.mean(lambda p: p.sparsity),
            "compression_ratio": self.mean(lambda p: p.compression_ratio),
            "theoretical_speedup": self.mean(lambda p: p.theoretical_speedup),
            "n_seeds": self.n_seeds,
            "accuracy": self.accuracy,
            "accuracy_lowest": low,
            "accuracy_highest": high,
            "accuracy_deviation": self.deviation,
            "drop": self.drop,
        }


def levels(points: Iterable[TradeOffPoint]) -> tuple[Level, ...]:
    """The points of one curve by the level that was asked for, by rising compression.

    A seed that was measured twice at a level counts once, as it was first.
    """
    by_setting: dict[tuple[str, float], list[dict[tuple[int, Any], TradeOffPoint]]] = {}
    for point in points:
        seed = (point.seed, point.protocol.get("seed"))
        places = by_setting.setdefault(asked_of(point), [])
        place = next((p for p in places if seed not in p or p[seed].spec == point.spec), None)
        if place is None:
            # The same seed with another setting: no draw of the same level, whatever both were asked for.
            places.append({seed: point})
        else:
            place.setdefault(seed, point)
    ordered = (Level(tuple(by_seed.values())) for places in by_setting.values() for by_seed in places)
    return tuple(sorted(ordered, key=lambda level: level.mean(lambda p: p.sparsity)))


def curves_of(points: Iterable[TradeOffPoint], label: Callable[[TradeOffPoint], str]) -> tuple[TradeOff, ...]:
    """Points of any origin as curves: together is what differs in level and seed alone. ``label`` names a curve
    after its first point."""
    by_curve: dict[str, list[TradeOffPoint]] = {}
    for point in points:
        by_curve.setdefault(f"{kind_of(point.spec)} {essence(point.protocol)}", []).append(point)
    return tuple(
        TradeOff(label(some[0]), tuple(p for level in levels(some) for p in level.points)) for some in by_curve.values()
    )


def unseeded(spec: JsonObject) -> JsonDict:
    """A PruneSpec's JSON without the seeds of its parts: equal for what only chance tells apart."""
    return {name: part if name == "limits" else _without(part, "seed") for name, part in spec.items()}


def is_a_curve(points: Sequence[TradeOffPoint]) -> bool:
    """Whether there are at least five operating points; the dense model is none."""
    return n_operating_points(points) >= FEWEST_POINTS


def n_operating_points(points: Sequence[TradeOffPoint]) -> int:
    """How many levels are pruned: the dense model is no operating point."""
    return sum(level.mean(lambda p: p.is_pruned) > 0 for level in levels(points))


def asked_of(point: TradeOffPoint) -> tuple[str, float]:
    """The level that a point was asked for."""
    # Seeds reach one ratio at slightly different sparsities: what was asked for is what they share.
    if point.asked_ratio is not None:
        return ("ratio", point.asked_ratio)
    return ("sparsity", round(point.asked, 9))


def kind_of(spec: JsonObject) -> str:
    """Equal for requests that differ in their seeds and their overall sparsity alone."""
    plain = unseeded(spec)
    return json.dumps(plain | {"allocation": _without(plain.get("allocation"), "sparsity")}, sort_keys=True)


def _without(part: object, name: str) -> Any:
    return {key: value for key, value in part.items() if key != name} if isinstance(part, Mapping) else part
