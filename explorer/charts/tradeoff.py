"""Size against accuracy: measured curves, their control, what was tried, and where one stands now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10
from typing import Any, TypedDict, Unpack

import plotly.graph_objects as go

from explorer.analysis.comparison.protocol import in_words
from explorer.analysis.comparison.seeds import Level
from explorer.charts.frame import axis, empty, framed
from explorer.charts.lines import HOLLOW_KEY, STAR, STAR_KEY, Line, lines_of
from explorer.charts.scale import Scale, XName, by_factors, drawable, front, scale_of
from explorer.charts.theme import Theme
from explorer.metrics.base import dense_value
from explorer.params.options import options_from
from explorer.text.delta import change_of_mean, delta_with_ends, named, worse_is_up
from explorer.text.names import clean_plotly
from explorer.text.numbers import (
    bytes_text,
    interval,
    level,
    percent,
    points_asked,
    provenance,
    times,
    valued,
    worse_by,
)
from explorer.types import TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict


@dataclass(frozen=True)
class Look:
    """How a trade-off is drawn, whatever it shows."""

    pareto: bool = True
    theme: Theme | None = None
    height: int = 380


class LookKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    pareto: bool
    theme: Theme | None
    height: int


@options_from(Look)
def tradeoff(
    curves: Sequence[TradeOff],
    *,
    now: TradeOffPoint | None = None,
    marked: TradeOffPoint | None = None,
    tried: Sequence[TradeOffPoint] = (),
    budget: float | None = None,
    x: XName = "compression_ratio",
    **keywords: Unpack[LookKeywords],
) -> go.Figure:
    """Straight lines through measured points with their bands; nothing is smoothed.

    Points of several seeds are one line through their means, its band from the smallest to the largest; the band of
    one seed is its 95 % interval. Controls are grey and dashed, random pruning always. Fewer than five operating
    points are hollow, and curves of another protocol than most have stars. ``now`` is the large orange point,
    ``marked`` has a ring, ``tried`` the small ones, ``pareto`` joins those that no other point beats. ``budget`` is
    the accuracy one would give up, as a share (0.01 = 1 point), drawn below the dense accuracy; agreement has no
    such line. Every point of a curve or of ``tried`` carries customdata that :func:`clicked` turns back into the
    point.
    """
    look, scale = Look(**keywords), scale_of(x)
    theme, height = look.theme or Theme.light(), look.height
    everything = [p for curve in curves for p in curve.points] + [*tried] + ([now] if now else [])
    if not drawable(everything, scale):
        return empty(theme, "Nothing has been measured yet.", height=height)
    figure = axes(theme, scale, everything, height)
    lines = lines_of(curves, scale, theme)
    figure.add_traces([*_curves(lines, scale, theme), *_keys(lines, theme)])
    if look.pareto:
        figure.add_traces(list(_front(_contenders(lines, tried), scale, theme)))
    if tried:
        figure.add_trace(_tried(tried, scale, theme))
    if budget is not None and everything[0].accuracy.name != "agreement":
        _budget(figure, everything[0], budget, theme)
    if now is not None and drawable([now], scale):
        _now(figure, now, scale, theme)
    if marked is not None and drawable([marked], scale):
        figure.add_trace(_ring(marked, scale, theme))
    if figure.layout.yaxis.type == "log":  # where annotations, alone of all, are placed by the logarithm
        figure.for_each_annotation(lambda note: note.update(y=log10(note.y)) if note.yref != "paper" else None)
    return figure


def clicked(
    customdata: Sequence[Any] | None, curves: Sequence[TradeOff], tried: Sequence[TradeOffPoint]
) -> TradeOffPoint | None:
    """The point behind the customdata of a click; None where the click was on something else."""
    if not customdata:
        return None
    kind, *numbers = customdata
    try:
        if kind == "curve":
            return curves[int(numbers[0])].points[int(numbers[1])]
        return tried[int(numbers[0])] if kind == "tried" else None
    except (IndexError, ValueError, TypeError):
        return None


def axes(theme: Theme, scale: Scale, everything: Sequence[TradeOffPoint], height: int) -> go.Figure:
    """An empty figure on the axes of these points."""
    values = [scale.value(p) for p in everything]
    low, high = scale.span(values)
    places, texts = scale.ticks(values)
    across = axis(theme, scale.title, tickvals=places, ticktext=texts, type="linear", range=[low, high])
    if scale.log:
        across |= {"type": "log", "range": [log10(low), log10(high)]}
    if scale.falls:
        across["range"] = across["range"][::-1]
    return framed(theme, height=height, x=across, y=axis(theme, **_upwards(everything)))


def _upwards(everything: Sequence[TradeOffPoint]) -> JsonDict:
    """The axis of what was measured; of a metric that is no accuracy, with its name."""
    first = everything[0].accuracy
    if by_factors(everything):
        return {"grid": True, "title": clean_plotly(first.name), "type": "log", "dtick": "D2", "exponentformat": "none"}
    if first.unit != "fraction":
        return {"grid": True, "title": clean_plotly(first.name), "rangemode": "tozero"}
    lowest = min(p.accuracy.low if p.accuracy.low is not None else p.accuracy.value for p in everything)
    # From zero, unless everything happens near the top: a cut axis makes small losses look large.
    floor = 0.0 if lowest < 0.5 else 0.5
    span = [floor - 0.01 * (1 - floor), 1.1 - 0.06 * floor]
    return {"grid": True, "tickformat": ".0%", "range": span, "dtick": 0.2 if floor == 0 else 0.1}


def _curves(lines: Sequence[Line], scale: Scale, theme: Theme) -> Iterator[go.Scatter]:
    """Bands first, so that they lie below every line."""
    for line in lines:
        yield from _band(line, theme)
    # The controls first: they must not cover what is compared with them.
    for line in sorted(lines, key=lambda line: not line.is_control):
        label, shown = line.curve.label, range(len(line.levels))
        yield go.Scatter(
            x=list(line.across),
            y=line.heights,
            mode="lines+markers",
            name=clean_plotly(label),
            legendgroup=f"curve{line.position}",
            legendrank=1000 + line.position,
            line={"color": line.colour, "width": 2, "dash": line.dash, "shape": "linear"},
            marker=_marker(line.symbol, line.colour, hollow=line.is_hollow),
            customdata=[["curve", line.position, line.point_at(i)] for i in shown],
            hovertext=[level_hover(label, line.levels[i]) for i in shown],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _marker(symbol: str, colour: str, *, hollow: bool) -> JsonDict:
    size = 10.0 if symbol == STAR else 6.5
    if not hollow:
        return {"color": colour, "size": size, "symbol": symbol}
    return {"color": colour, "size": size + 2, "symbol": f"{symbol}-open", "line": {"width": 1.5, "color": colour}}


def _keys(lines: Sequence[Line], theme: Theme) -> Iterator[go.Scatter]:
    """What hollow marks and stars mean, in the legend while there are any."""
    drawn = [line for line in lines if line.levels]
    keys = [(HOLLOW_KEY, "circle", True)] if any(line.is_hollow for line in drawn) else []
    keys += [(STAR_KEY, STAR, False)] if any(line.is_other for line in drawn) else []
    for rank, (words, symbol, hollow) in enumerate(keys):
        yield go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=words,
            legendrank=3000 + rank,
            marker=_marker(symbol, theme.muted, hollow=hollow),
            hoverinfo="skip",
        )


def _band(line: Line, theme: Theme) -> Iterator[go.Scatter]:
    if line.band is None:
        return
    across, low, high = line.band
    yield go.Scatter(
        x=across + across[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=theme.translucent(line.colour, theme.band),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=f"curve{line.position}",
    )


def _contenders(lines: Sequence[Line], tried: Sequence[TradeOffPoint]) -> list[TradeOffPoint]:
    """What may lie on the front; nothing where it would only trace the one curve again.

    What was trained longer is better for another reason: the front is of one protocol.
    """
    rivals = [line.curve.points for line in lines if not line.is_control and not line.is_other]
    return [p for points_ in rivals for p in points_] + [*tried] if tried or len(rivals) > 1 else []


def _front(contenders: Sequence[TradeOffPoint], scale: Scale, theme: Theme) -> Iterator[go.Scatter]:
    best = [contenders[i] for i in front(contenders, scale)]
    if len(best) < 2:
        return
    yield go.Scatter(
        x=[scale.value(p) for p in best],
        y=[p.accuracy.value for p in best],
        mode="lines+markers",
        name="best of all (Pareto)",
        legendrank=2000,
        line={"color": theme.muted, "width": 1, "dash": "1px,3px"},
        marker={"size": 11, "symbol": "circle-open", "color": theme.muted, "line": {"width": 1}},
        hoverinfo="skip",
    )


def _tried(tried: Sequence[TradeOffPoint], scale: Scale, theme: Theme) -> go.Scatter:
    order = drawable(tried, scale)
    return go.Scatter(
        x=[scale.value(tried[i]) for i in order],
        y=[tried[i].accuracy.value for i in order],
        mode="markers",
        name="tried",
        legendrank=2001,
        marker={
            "size": 7,
            "color": theme.translucent(theme.now, 0.55),
            "line": {"width": 1, "color": theme.background},
        },
        customdata=[["tried", i] for i in order],
        hovertext=[hover(tried[i].label, tried[i], "Click to restore this setting.") for i in order],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _budget(figure: go.Figure, point: TradeOffPoint, budget: float, theme: Theme) -> None:
    """Dense accuracy follows from any point, since its drop is against the dense model on the same samples."""
    is_up, is_share = worse_is_up(point.drop), point.drop.unit == "fraction"
    height = dense_value(point.accuracy, point.drop) + (budget if is_up else -budget)
    worse = points_asked(budget) if is_share else worse_by(budget, point.drop.unit)
    figure.add_hline(y=height, line={"color": theme.good, "width": 1.2, "dash": "2px,2px"}, layer="below")
    figure.add_annotation(
        text=f"budget: dense {'+' if is_up else '−'}{worse}",
        x=1,
        xref="paper",
        xanchor="right",
        y=height,
        yanchor="bottom" if is_up else "top",
        showarrow=False,
        font={"color": theme.good, "size": 12},
    )


def _now(figure: go.Figure, now: TradeOffPoint, scale: Scale, theme: Theme) -> None:
    across = scale.value(now)
    figure.add_trace(
        go.Scatter(
            x=[across],
            y=[now.accuracy.value],
            mode="markers",
            cliponaxis=False,
            name="now",
            legendrank=1999,
            marker={"size": 16, "color": theme.now, "line": {"width": 2, "color": theme.background}},
            hovertext=[hover("now", now)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    low, high = figure.layout.xaxis.range
    place = log10(across) if scale.log else across
    is_left = abs(place - low) < abs(high - low) / 2
    # Above and, where there is room, to the right: no better point lies there, so nothing is covered.
    figure.add_annotation(
        text=f"<b>now · {scale.text(across)} · {level(now.accuracy)}</b>",
        x=place,
        y=now.accuracy.value,
        showarrow=False,
        xanchor="left" if is_left else "right",
        yanchor="bottom",
        xshift=-10 if is_left else 10,
        yshift=9,
        font={"color": theme.text, "size": 12},
    )


def _ring(marked: TradeOffPoint, scale: Scale, theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=[scale.value(marked)],
        y=[marked.accuracy.value],
        mode="markers",
        name="the chosen row",
        legendrank=2003,
        marker={"size": 18, "symbol": "circle-open", "color": theme.now, "line": {"width": 3, "color": theme.now}},
        hoverinfo="skip",
    )


def level_hover(label: str, of: Level) -> str:
    """What is known about a level, line by line; of several seeds the means, and how far they lie apart."""
    if of.n_seeds == 1:
        return hover(label, of.points[0])
    some, (low, high) = of.points[0], of.spread
    ratio, speedup = of.mean(lambda p: p.compression_ratio), of.mean(lambda p: p.theoretical_speedup)
    unit, change = some.accuracy.unit, change_of_mean(some.drop, of.drop)
    return "<br>".join(
        [
            f"<b>{clean_plotly(label)}</b>, mean of {of.n_seeds} seeds",
            f"{clean_plotly(some.accuracy.name)} <b>{valued(of.accuracy, unit)}</b>"
            f" (seeds: {valued(low, unit)} to {valued(high, unit)})",
            f"{clean_plotly(named(some.accuracy.name))} {change} · {provenance(some.accuracy)}, each",
            f"{_asked(some)}{times(ratio)} fewer parameters · sparsity {percent(of.mean(lambda p: p.sparsity))}",
            f"{times(speedup)} fewer MACs (counted) · {clean_plotly(in_words(some.protocol))}",
        ]
    )


def hover(label: str, point: TradeOffPoint, more: str = "") -> str:
    """What is known about a point, line by line: accuracy, interval, samples, origin, sizes, protocol."""
    spread = f" (95%: {interval(point.accuracy)})" if interval(point.accuracy) else ""
    lines = [
        f"<b>{clean_plotly(label)}</b>",
        f"{clean_plotly(point.accuracy.name)} <b>{level(point.accuracy)}</b>{spread}",
        f"{clean_plotly(named(point.accuracy.name))} {delta_with_ends(point.drop)}",
        f"{provenance(point.accuracy)} · {clean_plotly(in_words(point.protocol))}",
        f"{_asked(point)}{times(point.compression_ratio)} fewer parameters · sparsity {percent(point.sparsity)}",
        f"{times(point.theoretical_speedup)} fewer MACs · smallest file {bytes_text(point.size_bytes)} (counted)",
    ]
    return "<br>".join([*lines, more] if more else lines)


def _asked(point: TradeOffPoint) -> str:
    return "" if point.asked_ratio is None else f"asked {times(point.asked_ratio)}, reached "
