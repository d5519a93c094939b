"""Size against accuracy: measured curves, their control, what was tried, and where one stands now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.scale import Scale, XName, drawable, front, is_control, scale_of
from explorer.charts.text import bytes_text, interval, percent, points, provenance, safe, times
from explorer.charts.theme import Theme
from explorer.types import TradeOff, TradeOffPoint

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
_CONTROLS = (("4px,4px", "circle"), ("1px,3px", "diamond"), ("8px,4px", "square"))


def tradeoff(
    curves: Sequence[TradeOff],
    *,
    now: TradeOffPoint | None = None,
    tried: Sequence[TradeOffPoint] = (),
    pareto: bool = True,
    budget: float | None = None,
    x: XName = "compression_ratio",
    theme: Theme | None = None,
    height: int = 380,
) -> go.Figure:
    """Straight lines through measured points with their 95 % intervals; nothing is smoothed.

    Curves of the random criterion are grey and dashed: the control. ``now`` is the large orange point, ``tried``
    the small ones, ``pareto`` joins those that no other point beats. ``budget`` is the accuracy one would give up,
    as a share (0.01 = 1 point), drawn below the dense accuracy. Every point of a curve or of ``tried`` carries
    customdata that :func:`clicked` turns back into the point.
    """
    theme, scale = theme or Theme.light(), scale_of(x)
    everything = [p for curve in curves for p in curve.points] + [*tried] + ([now] if now else [])
    if not drawable(everything, scale):
        return empty(theme, "Nothing has been measured yet.", height=height)
    figure = _axes(theme, scale, everything, height)
    figure.add_traces(list(_curves(curves, scale, theme)))
    rivals = [curve.points for curve in curves if not is_control(curve.points)]
    # With nothing to choose between, the front would only trace the one curve again.
    if pareto and (tried or len(rivals) > 1):
        contenders = [p for points_ in rivals for p in points_] + [*tried]
        figure.add_traces(list(_front(contenders, scale, theme)))
    if tried:
        figure.add_trace(_tried(tried, scale, theme))
    if budget is not None:
        _budget(figure, everything[0], budget, theme)
    if now is not None and drawable([now], scale):
        _now(figure, now, scale, theme)
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


def _axes(theme: Theme, scale: Scale, everything: Sequence[TradeOffPoint], height: int) -> go.Figure:
    values = [scale.value(p) for p in everything]
    low, high = scale.span(values)
    places, texts = scale.ticks(values)
    lowest = min(p.accuracy.low if p.accuracy.low is not None else p.accuracy.value for p in everything)
    # From zero, unless everything happens near the top: a cut axis makes small losses look large.
    floor = 0.0 if lowest < 0.5 else 0.5
    across = axis(theme, scale.title, tickvals=places, ticktext=texts, type="linear", range=[low, high])
    if scale.log:
        across |= {"type": "log", "range": [log10(low), log10(high)]}
    if scale.falls:
        across["range"] = across["range"][::-1]
    up = axis(
        theme,
        grid=True,
        tickformat=".0%",
        range=[floor - 0.01 * (1 - floor), 1.1 - 0.06 * floor],
        dtick=0.2 if floor == 0 else 0.1,
    )
    return framed(theme, height=height, x=across, y=up)


def _curves(curves: Sequence[TradeOff], scale: Scale, theme: Theme) -> Iterator[go.Scatter]:
    """Bands first, so that they lie below every line."""
    styles = list(styles_of(curves, theme))
    first = {curve.label: c for c, curve in reversed(list(enumerate(curves)))}
    for c, (curve, style) in enumerate(zip(curves, styles, strict=True)):
        # The spread of its seeds says more about chance than one seed's band.
        if [other.label for other in curves].count(curve.label) == 1:
            placed = [curve.points[i] for i in drawable(curve.points, scale)]
            yield from _band(placed, scale, style, theme, f"curve{c}")
    # The control first: it must not cover what it is compared with.
    for c in sorted(range(len(curves)), key=lambda c: not styles[c]["control"]):
        style, points_ = styles[c], curves[c].points
        order = drawable(points_, scale)
        yield go.Scatter(
            x=[scale.value(points_[i]) for i in order],
            y=[points_[i].accuracy.value for i in order],
            mode="lines+markers",
            name=safe(curves[c].label),
            legendgroup=f"curve{first[curves[c].label]}",
            # Seeds of one control share its label: they are one entry of the legend.
            showlegend=first[curves[c].label] == c,
            legendrank=1000 + c,
            line={"color": style["colour"], "width": 2, "dash": style["dash"], "shape": "linear"},
            marker={"color": style["colour"], "size": 6.5, "symbol": style["symbol"]},
            customdata=[["curve", c, i] for i in order],
            hovertext=[hover(curves[c].label, points_[i]) for i in order],
            hovertemplate="%{hovertext}<extra></extra>",
        )


def styles_of(curves: Sequence[TradeOff], theme: Theme) -> Iterator[Mapping[str, Any]]:
    """Colour, dash and marker of each curve: grey and dashed for the controls, else one of its own."""
    n, controls = 0, list[str]()
    for curve in curves:
        if is_control(curve.points):
            controls += [curve.label] if curve.label not in controls else []
            i = controls.index(curve.label) % len(_CONTROLS)
            yield {"colour": theme.control, "dash": _CONTROLS[i][0], "symbol": _CONTROLS[i][1], "control": True}
            continue
        # After one round of colours the markers move on, so that no two curves look alike.
        colour, symbol = theme.curves[n % len(theme.curves)], _SYMBOLS[(n + n // len(theme.curves)) % len(_SYMBOLS)]
        yield {"colour": colour, "dash": "solid", "symbol": symbol, "control": False}
        n += 1


def _band(
    placed: Sequence[TradeOffPoint], scale: Scale, style: Mapping[str, Any], theme: Theme, group: str
) -> Iterator[go.Scatter]:
    known = [p for p in placed if p.accuracy.low is not None and p.accuracy.high is not None]
    if len(known) < 2:
        return
    across = [scale.value(p) for p in known]
    yield go.Scatter(
        x=across + across[::-1],
        y=[p.accuracy.high for p in known] + [p.accuracy.low for p in reversed(known)],
        fill="toself",
        fillcolor=theme.translucent(style["colour"], theme.band),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
    )


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
    level = point.accuracy.value + point.drop.value - budget
    figure.add_hline(y=level, line={"color": theme.good, "width": 1.2, "dash": "2px,2px"}, layer="below")
    figure.add_annotation(
        text=f"budget: dense −{100 * budget:.3g} pt",
        x=1,
        xref="paper",
        xanchor="right",
        y=level,
        yanchor="top",
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
        text=f"<b>now · {scale.text(across)} · {percent(now.accuracy.value)}</b>",
        x=place,
        y=now.accuracy.value,
        showarrow=False,
        xanchor="left" if is_left else "right",
        yanchor="bottom",
        xshift=-10 if is_left else 10,
        yshift=9,
        font={"color": theme.text, "size": 12},
    )


def hover(label: str, point: TradeOffPoint, more: str = "") -> str:
    """What is known about a point, line by line: accuracy, interval, samples, origin, sizes."""
    known = interval(point.accuracy)
    lines = [
        f"<b>{safe(label)}</b>",
        f"{safe(point.accuracy.name)} <b>{percent(point.accuracy.value)}</b>" + (f" (95%: {known})" if known else ""),
        f"drop {points(point.drop.value)} · {provenance(point.accuracy)}",
        f"{times(point.compression_ratio)} fewer parameters · sparsity {percent(point.sparsity)}",
        f"{times(point.theoretical_speedup)} fewer MACs · smallest file {bytes_text(point.size_bytes)} (counted)",
    ]
    return "<br>".join([*lines, more] if more else lines)
