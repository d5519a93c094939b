"""Curves as a trade-off draws them: one line a method, with the marks that fairness asks for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.analysis.comparison.protocol import common, essence, protocol_of
from explorer.analysis.comparison.seeds import Level, is_a_curve, levels
from explorer.charts.scale import Scale, is_control
from explorer.charts.theme import Theme
from explorer.types import TradeOff

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
STAR = "star"
HOLLOW_KEY, STAR_KEY = "hollow: not a curve yet", "star: another protocol"
_CONTROLS = (("4px,4px", "circle"), ("1px,3px", "diamond"), ("8px,4px", "square"), ("8px,3px,1px,3px", "triangle-up"))


@dataclass(frozen=True)
class Line:
    """One curve: ``levels`` that have a place on the axis, from less to more pruned, at ``across``.

    ``is_hollow``: fewer than five operating points. ``is_other``: it had other epochs, data or optimiser than
    most on the chart. ``position`` is the curve's among those that were given.
    """

    curve: TradeOff
    position: int
    levels: tuple[Level, ...]
    across: tuple[float, ...]
    colour: str
    dash: str
    symbol: str
    is_control: bool
    is_hollow: bool
    is_other: bool

    @property
    def heights(self) -> list[float]:
        """The accuracy of each level: the mean of its seeds."""
        return [level.accuracy for level in self.levels]

    @property
    def band(self) -> tuple[list[float], list[float], list[float]] | None:
        """Where its band is, and from where to where; None for less than two places that have one."""
        bands = [(x, level.band) for x, level in zip(self.across, self.levels, strict=True)]
        placed = [(x, *band) for x, band in bands if band is not None]
        if len(placed) < 2:
            return None
        return [p[0] for p in placed], [p[1] for p in placed], [p[2] for p in placed]

    def point_at(self, i: int) -> int:
        """Which of the curve's points stands for level ``i``: of several seeds the one nearest to the mean."""
        middle = self.levels[i].middle
        return next(n for n, point in enumerate(self.curve.points) if point is middle)


def lines_of(curves: Sequence[TradeOff], scale: Scale, theme: Theme) -> list[Line]:
    """A line for each curve: grey and dashed for controls, else a colour of its own."""
    usual = common(curves)
    lines = []
    for position, (curve, (colour, dash, symbol)) in enumerate(zip(curves, _styles(curves, theme), strict=True)):
        placed = sorted(_placed(curve, scale), key=lambda pair: -pair[0] if scale.falls else pair[0])
        is_other = essence(protocol_of(curve.points)) != usual
        lines.append(
            Line(
                curve=curve,
                position=position,
                levels=tuple(level for _, level in placed),
                across=tuple(x for x, _ in placed),
                colour=colour,
                dash=dash,
                symbol=STAR if is_other and curve.points else symbol,
                is_control=is_control(curve),
                is_hollow=not is_a_curve(curve.points),
                is_other=is_other and bool(curve.points),
            )
        )
    return lines


def _placed(curve: TradeOff, scale: Scale) -> Iterator[tuple[float, Level]]:
    for level in levels(curve.points):
        across = level.mean(scale.value)
        if math.isfinite(across) and (not scale.log or across > 0):
            yield across, level


def _styles(curves: Sequence[TradeOff], theme: Theme) -> Iterator[tuple[str, str, str]]:
    """Colour, dash and marker of each curve."""
    n = n_controls = 0
    for curve in curves:
        if is_control(curve):
            yield theme.control, *_CONTROLS[n_controls % len(_CONTROLS)]
            n_controls += 1
            continue
        # After one round of colours the markers move on, so that no two curves look alike.
        yield theme.curves[n % len(theme.curves)], "solid", SYMBOLS[(n + n // len(theme.curves)) % len(SYMBOLS)]
        n += 1
