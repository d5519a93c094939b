"""The trade-off for paper: the same points by Matplotlib, as PNG or SVG, in colours that print.

Figures are made without pyplot: nothing global is touched, so threads may draw at the same time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter, ScalarFormatter

from explorer.charts.lines import HOLLOW_KEY, STAR_KEY, Line, lines_of
from explorer.charts.scale import Scale, XName, by_factors, drawable, scale_of
from explorer.charts.theme import Theme
from explorer.text.names import clean_matplotlib
from explorer.types import TradeOff, TradeOffPoint

_MARKERS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "cross": "P", "x": "X", "star": "*"}
# One and a half columns of a paper.
_INCHES = (5.5, 3.4)


def tradeoff_png(
    curves: Sequence[TradeOff], *, now: TradeOffPoint | None = None, x: XName = "compression_ratio", dpi: int = 300
) -> bytes:
    """A PNG on white, 5.5 x 3.4 inches at ``dpi``."""
    return _saved(_figure(curves, now, x, FigureCanvasAgg), "png", dpi=dpi, metadata={"Software": None})


def tradeoff_svg(
    curves: Sequence[TradeOff], *, now: TradeOffPoint | None = None, x: XName = "compression_ratio"
) -> bytes:
    """An SVG, UTF-8, of the same picture, undated; letters are drawn as shapes, so no font is needed."""
    return _saved(_figure(curves, now, x, FigureCanvasSVG), "svg", metadata={"Date": None, "Creator": None})


def _saved(figure: Figure, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **options)
    figure.clear()
    return buffer.getvalue()


def _figure(
    curves: Sequence[TradeOff], now: TradeOffPoint | None, x: str, canvas: Callable[[Figure], object]
) -> Figure:
    theme, scale = Theme.light(), scale_of(x)
    figure = Figure(figsize=_INCHES, layout="constrained")
    canvas(figure)
    axes = figure.add_subplot()
    lines = lines_of(curves, scale, theme)
    for line in lines:
        _draw(axes, line)
    if now is not None and drawable([now], scale):
        axes.plot(
            [scale.value(now)], [now.accuracy.value], "o", color=theme.now, ms=8, mec="white", zorder=5, label="now"
        )
    _keys(axes, lines, theme)
    points = [p for curve in curves for p in curve.points] + ([now] if now else [])
    _dress(axes, points, scale, theme)
    return figure


def _draw(axes: Axes, line: Line) -> None:
    axes.plot(
        line.across,
        line.heights,
        color=line.colour,
        linestyle=_line(line.dash),
        marker=_MARKERS[line.symbol],
        markersize=4 + 3 * line.is_other,
        markerfacecolor="white" if line.is_hollow else line.colour,
        linewidth=1.4,
        zorder=1.9 if line.is_control else 2,
        label=clean_matplotlib(line.curve.label),
    )
    if line.band is not None:
        across, low, high = line.band
        axes.fill_between(across, low, high, color=line.colour, alpha=0.15, linewidth=0)


def _keys(axes: Axes, lines: Sequence[Line], theme: Theme) -> None:
    """What hollow marks and stars mean, in the legend where there are any."""
    drawn = [line for line in lines if line.levels]
    if any(line.is_hollow for line in drawn):
        axes.plot([], [], "o", color=theme.muted, markerfacecolor="white", markersize=4, label=HOLLOW_KEY)
    if any(line.is_other for line in drawn):
        axes.plot([], [], "*", color=theme.muted, markersize=7, label=STAR_KEY)


def _line(dash: str) -> Any:
    """Plotly's "4px,2px" as Matplotlib has it."""
    return dash if dash == "solid" else (0, tuple(int(part) * 0.6 for part in dash.replace("px", "").split(",")))


def _dress(axes: Axes, points: Sequence[TradeOffPoint], scale: Scale, theme: Theme) -> None:
    values = [scale.value(p) for p in points]
    places, texts = scale.ticks(values)
    axes.set_xscale("log" if scale.log else "linear")
    low, high = scale.span(values)
    axes.set_xlim((high, low) if scale.falls else (low, high))
    axes.set_xticks(places, texts, minor=False)
    axes.xaxis.set_minor_locator(NullLocator())
    if not points or points[0].accuracy.unit == "fraction":
        axes.set_ylim(0, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif by_factors(points):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.set_xlabel(scale.title)
    band = "band: 95% interval; seeds: mean and range"
    axes.set_ylabel(f"{points[0].accuracy.name} ({band})" if points else "accuracy", fontsize=8)
    axes.grid(axis="y", color=theme.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, labelsize=8, colors=theme.muted)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)
