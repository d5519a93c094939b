"""What a search tried: how good each plan was, and which was the best so far."""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.analysis.search.result import ORIGINS, SearchResult, Tried, amount
from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.text.delta import delta, delta_text, delta_with_ends, named, unit_words, worse_is_up
from explorer.text.names import clean_plotly
from explorer.text.numbers import change, interval, level, percent, points_asked, valued

_A_BAR, _TALLEST = 20, 520
# Those that a reader knows by name have a mark of their own; what the search made itself is a dot.
_MARKS = {
    "global": "diamond",
    "magnitude": "diamond-tall",
    "uniform": "square",
    "erk": "triangle-up",
    "sensitivity": "cross",
}
_SHORT = {
    "global": "global",
    "magnitude": "global magnitude",
    "uniform": "uniform",
    "erk": "layer shapes (ERK)",
    "sensitivity": "equal single drops",
    "search": "found by search",
}


def short(by: str) -> str:
    """Where a plan comes from, in a word or two."""
    return _SHORT.get(by) or ORIGINS[by]


def search(result: SearchResult | None, *, theme: Theme | None = None, height: int = 380) -> go.Figure:
    """Every plan that was tried; the answer is the large orange point.

    Within a budget: accuracy in the order of trial, a line for the best so far and one for the dense model. Within a
    drop: Δ accuracy against the cost, with the drop that was allowed. Hollow points do not keep to what was asked; an
    arrow down lies below the axis. Each
    point carries its index in ``found.tried`` as customdata.
    """
    theme = theme or Theme.light()
    if result is None:
        return empty(theme, "The first plan comes after the scan.", height=height)
    figure = _budget(result, theme, height) if result.question.max_drop is None else _drop(result, theme, height)
    for key, members in _groups(result.tried).items():
        figure.add_trace(_marks(result, key, members, theme))
    figure.add_trace(_answer(result, theme))
    return figure


def _budget(result: SearchResult, theme: Theme, height: int) -> go.Figure:
    """Accuracy over the order of trial."""
    n = len(result.tried)
    best_point = result.best.point.accuracy
    dense, is_share = result.best.dense_value, best_point.unit == "fraction"
    values = [tried.point.accuracy.value for tried in result.tried]
    low, high = min(dense, _floor(result)), max(dense, *values) if worse_is_up(result.best.drop) else dense
    room = max(0.01 if is_share else 1e-9, 0.08 * (high - low))
    ticks = {"tickformat": ".0%" if high - low > 0.05 else ".1%"} if is_share else {}
    figure = framed(
        theme,
        height=height,
        x=axis(theme, "plan, in the order of trial", range=[0.2, max(10, n) + 0.8]),
        y=axis(theme, clean_plotly(result.question.judged), grid=True, **ticks,
               range=[low - room, high + 1.6 * room]),
    )  # fmt: skip
    best = [max((t for t in result.tried[: i + 1]), key=lambda t: (t.meets, -t.drop.value)) for i in range(n)]
    figure.add_trace(
        go.Scatter(
            x=list(range(1, n + 1)), y=[_up(result, t) for t in best], mode="lines", name="best so far",
            line={"color": theme.now, "width": 1.5, "shape": "hv"}, hoverinfo="skip", showlegend=n > 1,
        )
    )  # fmt: skip
    _line(figure, theme, dense, f"dense {valued(dense, best_point.unit)}")
    return figure


def _floor(result: SearchResult) -> float:
    """Where the axis of accuracies begins: plans far below all others stand on it, and leave the rest their room.

    Far: more than three times as far from the dense model as three quarters of the plans are, and 5 points.
    """
    lowest = min(tried.point.accuracy.value for tried in result.tried)
    if result.best.point.accuracy.unit != "fraction" or worse_is_up(result.best.drop):
        return lowest
    drops = sorted(tried.drop.value for tried in result.tried)
    usual = max(0.05, 3 * drops[(3 * (len(drops) - 1)) // 4])
    return max(lowest, result.best.dense_value - usual)


def _drop(result: SearchResult, theme: Theme, height: int) -> go.Figure:
    """The change over the cost, which falls to the right: better answers lie there, above the line."""
    limit = result.question.max_drop or 0.0
    shares = [tried.share for tried in result.tried]
    changes, drop = [delta(tried.drop) for tried in result.tried], result.best.drop
    allowed, is_share = limit if worse_is_up(drop) else -limit, drop.unit == "fraction"
    far = max(4 * limit, 0.05 if is_share else 1e-9)
    bottom = min(0.0, allowed, max(min(changes), -far))
    top = max(0.0, allowed, min(max(changes), far) if worse_is_up(drop) else max(changes))
    room = 0.08 * (top - bottom)
    ticks = {}
    if is_share:
        places = _ticks(bottom, top)
        ticks = {"tickvals": places, "ticktext": [points_asked(v).removesuffix(" pt") for v in places]}
    figure = framed(
        theme,
        height=height,
        x=axis(theme, f"{result.question.words}, share of dense", tickformat=".0%",
               range=[max(shares) + 0.03, max(0.0, min(shares) - 0.03)]),
        y=axis(theme, f"{named(clean_plotly(result.best.point.accuracy.name))}{unit_words(drop)}", grid=True,
               range=[bottom - room, top + room], **ticks),
    )  # fmt: skip
    text = points_asked(allowed) if is_share else change(allowed, drop.unit)
    _line(figure, theme, allowed, f"allowed: {text}", side="left")
    return figure


def _ticks(low: float, high: float) -> list[float]:
    step = next(s for s in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / s <= 6 or s == 0.5)
    return [round(i * step, 6) for i in range(int(low // step), int(high // step) + 1)]


def _line(figure: go.Figure, theme: Theme, level: float, text: str, side: str = "right") -> None:
    figure.add_hline(y=level, line={"color": theme.good, "width": 1.2, "dash": "2px,2px"}, layer="below")
    figure.add_annotation(
        text=text, x=float(side == "right"), xref="paper", xanchor=side, y=level, yanchor="bottom", showarrow=False,
        font={"color": theme.good, "size": 12},
    )  # fmt: skip


def _groups(tried: Sequence[Tried]) -> dict[str, list[int]]:
    """Indices by mark: the known allocations, and everything else as found by search."""
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(tried):
        groups.setdefault(one.by if one.by in _MARKS else "search", []).append(i)
    return dict(sorted(groups.items(), key=lambda group: group[0] == "search"))


def _marks(result: SearchResult, key: str, members: Sequence[int], theme: Theme) -> go.Scatter:
    symbol = _MARKS.get(key, "circle")
    colour = theme.accent if key == "search" else theme.curves[1 + list(_MARKS).index(key) % (len(theme.curves) - 1)]
    chosen = [result.tried[i] for i in members]
    return go.Scatter(
        x=[_across(result, i) for i in members],
        y=[_up(result, tried) for tried in chosen],
        mode="markers",
        name=short(key),
        marker={
            "symbol": [_symbol(result, tried, symbol) for tried in chosen],
            "size": 7 if key == "search" else 11,
            "color": colour,
            "opacity": 0.75 if key == "search" else 1.0,
        },
        customdata=[[i] for i in members],
        hovertext=[hover(tried) for tried in chosen],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _symbol(result: SearchResult, tried: Tried, symbol: str) -> str:
    """Hollow where it does not keep to what was asked; an arrow down where it lies below the axis."""
    is_below = _up(result, tried) > _value(result, tried)
    return f"{'triangle-down' if is_below else symbol}{'' if tried.meets else '-open'}"


def _answer(result: SearchResult, theme: Theme) -> go.Scatter:
    best = result.best
    at = result.tried.index(best)
    return go.Scatter(
        x=[_across(result, at)], y=[_up(result, best)], mode="markers", cliponaxis=False,
        name="the answer" if result.met else "the nearest",
        marker={"size": 16, "symbol": "circle" if result.met else "circle-open", "color": theme.now,
                "line": {"width": 2, "color": theme.background if result.met else theme.now}},
        customdata=[[at]], hovertext=[hover(best)], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _across(result: SearchResult, index: int) -> float:
    return index + 1 if result.question.max_drop is None else result.tried[index].share


def _up(result: SearchResult, tried: Tried) -> float:
    """Where it stands: at its value, or on the lower end of the axis."""
    value = _value(result, tried)
    return value if result.question.max_drop is not None else max(value, _floor(result))


def _value(result: SearchResult, tried: Tried) -> float:
    return tried.point.accuracy.value if result.question.max_drop is None else delta(tried.drop)


def shares(tried: Tried, *, theme: Theme | None = None) -> go.Figure:
    """What each layer keeps under a plan: kept beside pruned, as shares of its units."""
    theme = theme or Theme.light()
    if not tried.shares:
        return empty(theme, "Nothing is pruned.")
    names, gone = [name for name, _ in tried.shares], [share for _, share in tried.shares]
    places = list(range(len(names)))
    every = max(1, math.ceil(len(names) * _A_BAR / _TALLEST))
    down = axis(theme, autorange="reversed", tickvals=places[::every])
    down["ticktext"] = [clean_plotly(name) for name in names][::every]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    across = axis(theme, "share of each layer", tickformat=".0%", range=[0, 1])
    height = min(_TALLEST, _A_BAR * len(names) + 90)
    figure = framed(theme, height=height, x=across, y=down, barmode="stack", bargap=0.3)
    for name, parts, colour in (("kept", [1 - s for s in gone], theme.accent), ("pruned", gone, theme.pruned)):
        texts = [f"{clean_plotly(layer)}: {percent(part)} {name}" for layer, part in zip(names, parts, strict=True)]
        figure.add_bar(
            x=parts, y=places, orientation="h", name=name, marker={"color": colour, "line": {"width": 0}},
            hovertext=texts, hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip
    return figure


def hover(tried: Tried) -> str:
    """What is known of a plan, line by line: where from, accuracy and drop, prediction, cost."""
    spread, name = interval(tried.point.accuracy), clean_plotly(tried.point.accuracy.name)
    predicted = "" if tried.predicted is None else f", predicted {delta_text(tried.predicted)}"
    lines = [
        f"<b>{clean_plotly(ORIGINS[tried.by])}</b>",
        f"{name} <b>{level(tried.point.accuracy)}</b> ({spread})",
        f"{named(name)} {delta_with_ends(tried.drop)} on {tried.drop.n:,}{predicted}",
        f"{amount(tried.cost)}, {percent(tried.share)} of dense ({tried.cost.origin})",
    ]
    return "<br>".join([*lines, "" if tried.meets else "does not keep to what was asked"]).removesuffix("<br>")
