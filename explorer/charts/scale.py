"""The four things a trade-off may be drawn against, and where their ticks stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.analysis.pareto import unbeaten
from explorer.charts.frame import axis
from explorer.charts.theme import Theme
from explorer.errors import ExplorerError
from explorer.metrics.base import goodness
from explorer.text.names import clean_plotly
from explorer.text.numbers import bytes_text, percent, times
from explorer.types import Measurement, TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict

XName = Literal["compression_ratio", "macs", "size_bytes", "sparsity"]


@dataclass(frozen=True)
class Scale:
    """``value`` of a point; ``log`` axes double from tick to tick; ``falls``: less is better, drawn to the right."""

    title: str
    value: Callable[[TradeOffPoint], float]
    text: Callable[[float], str]
    log: bool = True
    falls: bool = False

    def span(self, values: Sequence[float]) -> tuple[float, float]:
        """The range of the axis, with a little room at both ends."""
        finite = [v for v in values if math.isfinite(v) and (v > 0 or not self.log)]
        if not self.log:
            return -0.015, 1.015
        low, high = (min(finite), max(finite)) if finite else (1.0, 2.0)
        low = low if self.falls else min(low, 1.0)
        high = max(high, 2 * low)
        room = (high / low) ** 0.02
        return low / room, high * room

    def ticks(self, values: Sequence[float]) -> tuple[list[float], list[str]]:
        """Where ticks stand and what they say: powers of two, or fifths of a linear axis."""
        low, high = self.span(values)
        if not self.log:
            places = [i / 5 for i in range(6)]
        elif self.falls:
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            places = [n * 10.0**power for power in powers for n in (1, 2, 5) if low <= n * 10.0**power <= high]
        else:
            places = [2.0**i for i in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
        every = max(1, math.ceil(len(places) / 9))
        return places[::every], [self.text(place) for place in places[::every]]


SCALES: dict[str, Scale] = {
    "compression_ratio": Scale("compression ratio (parameters, whole model)", lambda p: p.compression_ratio, times),
    "macs": Scale(
        "theoretical speed-up (dense MACs / MACs left, not a measured time)", lambda p: p.theoretical_speedup, times
    ),
    "size_bytes": Scale("smallest file that holds the model", lambda p: float(p.size_bytes), bytes_text, falls=True),
    "sparsity": Scale(
        "sparsity (share of the prunable weights)", lambda p: p.sparsity, lambda v: percent(v, 0), log=False
    ),
}


def scale_of(x: str) -> Scale:
    """The scale of that name."""
    if x not in SCALES:
        raise ExplorerError(f"A trade-off cannot be drawn against {x!r}.", fix=f"Choose one of: {', '.join(SCALES)}.")
    return SCALES[x]


def drawable(points: Sequence[TradeOffPoint], scale: Scale) -> list[int]:
    """Indices of the points that have a place on this axis, from less to more pruned."""
    placed = [
        i for i, p in enumerate(points) if math.isfinite(scale.value(p)) and (not scale.log or scale.value(p) > 0)
    ]
    return sorted(placed, key=lambda i: -scale.value(points[i]) if scale.falls else scale.value(points[i]))


def front(points: Sequence[TradeOffPoint], scale: Scale) -> list[int]:
    """Indices of the points that none beats in both accuracy and the axis' value, from less to more pruned.

    Places within 1 % are one place: there only the most accurate point counts, since rounding whole units moves
    points by about as much.
    """
    sign = -1 if scale.falls else 1
    rising = unbeaten(
        drawable(points, scale),
        lambda i: sign * scale.value(points[i]),
        lambda i: goodness(points[i].accuracy, points[i].drop),
    )
    places = [scale.value(points[i]) for i in rising]
    return [i for n, i in enumerate(rising) if not n or not math.isclose(places[n - 1], places[n], rel_tol=0.01)]


def is_control(curve: TradeOff) -> bool:
    """Whether it is there to be beaten, and drawn in grey: what says so, and random pruning always."""
    points = curve.points
    return curve.is_control or (
        bool(points) and all((p.spec.get("criterion") or {}).get("key") == "random" for p in points)
    )


def by_factors(points: Sequence[TradeOffPoint]) -> bool:
    """Whether heights have a logarithmic axis: those of perplexity, where twice as much means the same anywhere."""
    return bool(points) and all(p.accuracy.name == "perplexity" and 0 < p.accuracy.value < math.inf for p in points)


def measured_axis(theme: Theme, measured: Sequence[Measurement]) -> JsonDict:
    """The axis upwards of measured values: a share in per cent, another metric in its own unit, with its name.

    A share begins at zero, unless everything happens near the top: a cut axis makes small losses look large.
    """
    first = measured[0]
    if first.unit != "fraction":
        return axis(theme, clean_plotly(first.name), grid=True)
    floor = 0.0 if min(m.value if m.low is None else m.low for m in measured) < 0.5 else 0.5
    return axis(theme, grid=True, tickformat=".0%", range=[floor - 0.01, 1.03], dtick=0.2 if floor == 0 else 0.1)
