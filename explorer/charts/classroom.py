"""A class on the projector: what it predicts, and the board of its challenge."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.classroom.challenge import Challenge, TeamStanding
from explorer.classroom.tally import AnswerSpread, Counted, level_words
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent, points, points_between

_ROW, _ABOVE, _CURVE = 30, 70, 300
_LONG_LABEL, _LARGE = 44, 18


def predictions(answers: Counted | AnswerSpread, *, theme: Theme | None = None) -> go.Figure:
    """How many predicted what: bars, or for drawn curves their middle and the half of them around it."""
    look = theme or Theme.light()
    return _spread(answers, look) if isinstance(answers, AnswerSpread) else _bars(answers, look)


def _bars(answers: Counted, theme: Theme) -> go.Figure:
    places = list(range(len(answers.labels)))
    labels = [clean_plotly(label, _LONG_LABEL) for label in answers.labels]
    height = _ROW * len(labels) + _ABOVE
    across = axis(theme, "students", grid=True, dtick=max(1, max(answers.counts) // 5), rangemode="tozero")
    down = axis(theme, autorange="reversed", tickvals=places, ticktext=labels)
    figure = framed(theme, height=height, x=across, y=down, bargap=0.4)
    figure.add_trace(
        go.Bar(
            x=answers.counts,
            y=places,
            orientation="h",
            marker={"color": theme.accent},
            hovertext=[f"{label}: {n}" for label, n in zip(labels, answers.counts, strict=True)],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    return figure


def _spread(answers: AnswerSpread, theme: Theme) -> go.Figure:
    if not answers.n:
        return empty(theme, "Nobody has drawn a curve yet.")
    x = list(range(len(answers.levels)))
    across = axis(theme, tickvals=x, ticktext=level_words(answers))
    figure = framed(theme, height=_CURVE, x=across, y=axis(theme, grid=True))
    band = {"x": [*x, *reversed(x)], "y": [*answers.high, *reversed(answers.low)]}
    figure.add_trace(
        go.Scatter(
            **band,
            fill="toself",
            fillcolor=theme.translucent(theme.accent, theme.band),
            mode="lines",
            line={"width": 0},
            name="half of the class",
            hoverinfo="skip",
        )
    )
    middle = {"color": theme.accent, "width": 2.5}
    figure.add_trace(go.Scatter(x=x, y=answers.middle, mode="lines+markers", line=middle, name="middle of the class"))
    return figure


def board(
    rows: Sequence[TeamStanding],
    challenge: Challenge,
    *,
    names: bool = False,
    large: bool = False,
    theme: Theme | None = None,
) -> go.Figure:
    """Every entry by its size and its accuracy on the hidden split, the front that nobody beats, and the goal.

    ``large`` is for a projector.
    """
    look, height = theme or Theme.light(), 640 if large else 420
    if not rows:
        return empty(look, "No entry has been measured yet.", height=height)
    top = 1.08 * max(challenge.share * 2, *(row.outcome.share for row in rows))
    lowest = min(row.outcome.accuracy for row in rows)
    across = axis(look, "size of the file, as a share of the dense one", grid=True, tickformat=".0%", range=[0, top])
    up = axis(look, "accuracy on the hidden split", grid=True, tickformat=".0%", range=[max(0, lowest - 0.05), 1.01])
    figure = framed(look, height=height, x=across, y=up)
    figure.add_vline(x=challenge.share, line={"color": look.good, "dash": "dot", "width": 1.5})
    front = sorted((row.outcome.share, row.outcome.accuracy) for row in rows if row.is_on_front)
    corners = {"color": look.second, "width": 2, "shape": "hv"}
    xs, ys = [x for x, _ in front], [y for _, y in front]
    figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=corners, name="Pareto front", hoverinfo="skip"))
    for is_met, name, colour, symbol in (
        (True, "meets the challenge", look.accent, "circle"),
        (False, "misses it", look.control, "circle-open"),
    ):
        figure.add_trace(_entries([row for row in rows if row.meets == is_met], names, name, (colour, symbol)))
    figure.update_traces(cliponaxis=False)
    if large:
        for part in (figure.layout.xaxis, figure.layout.yaxis):
            part.update(tickfont_size=_LARGE, title_font_size=_LARGE)
        figure.update_layout(legend_font_size=_LARGE)
        figure.update_traces(textfont_size=_LARGE, selector={"type": "scatter"})
    return figure


def _entries(rows: Sequence[TeamStanding], names: bool, name: str, look: tuple[str, str]) -> go.Scatter:
    colour, symbol = look
    teams = [clean_plotly(row.team) if names else "" for row in rows]
    return go.Scatter(
        x=[row.outcome.share for row in rows],
        y=[row.outcome.accuracy for row in rows],
        mode="markers+text" if names else "markers",
        text=teams,
        textposition="top center",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 13, "line": {"width": 2, "color": colour}},
        hovertext=[" ".join(filter(None, (team, _in_words(row)))) for team, row in zip(teams, rows, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _in_words(row: TeamStanding) -> str:
    outcome = row.outcome
    ends = (
        ""
        if outcome.drop_low is None or outcome.drop_high is None
        else (f" ({points_between(-outcome.drop_high, -outcome.drop_low)})")
    )
    return f"{percent(outcome.share)} of the bytes, {percent(outcome.accuracy)} right, {points(-outcome.drop)}{ends}"
