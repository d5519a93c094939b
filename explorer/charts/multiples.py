"""A trade-off as small multiples: one small chart a method, on the same axes, the others pale behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.lines import Line, lines_of
from explorer.charts.scale import XName, drawable, scale_of
from explorer.charts.theme import Theme
from explorer.charts.tradeoff import axes, level_hover
from explorer.text.names import clean_plotly
from explorer.types import TradeOff

_ACROSS, _PANEL, _HEAD = 3, 190, 26


def multiples(
    curves: Sequence[TradeOff], *, x: XName = "compression_ratio", theme: Theme | None = None, columns: int = _ACROSS
) -> go.Figure:
    """One panel for each method, in the order given; controls are dashed in every one, other methods pale.

    All panels have the same axes, so that heights can be compared across them. Points carry the customdata of
    :func:`~explorer.charts.tradeoff.tradeoff`.
    """
    theme, scale = theme or Theme.light(), scale_of(x)
    everything = [point for curve in curves for point in curve.points]
    if not drawable(everything, scale):
        return empty(theme, "Nothing has been measured yet.", height=_PANEL)
    lines = lines_of(curves, scale, theme)
    own = [line for line in lines if not line.is_control and line.levels] or [line for line in lines if line.levels]
    n_rows, columns = -(-len(own) // columns), min(columns, len(own))
    like = axes(theme, scale, everything, _PANEL).layout
    figure = framed(theme, height=_PANEL * n_rows + 60, x=axis(theme), y=axis(theme), showlegend=False)
    for i, line in enumerate(own):
        _panel(figure, line, (i, n_rows, columns), like, theme)
        figure.add_traces([_on(trace, i) for trace in _traces(line, lines, theme)])
    return figure


def _panel(figure: go.Figure, line: Line, place: tuple[int, int, int], like: go.Layout, theme: Theme) -> None:
    """The axes and the name of one panel."""
    i, n_rows, columns = place
    row, column = divmod(i, columns)
    height = figure.layout.height
    top = 1 - row / n_rows
    sides = [column / columns + 0.012 * (column > 0), (column + 1) / columns - 0.02]
    ends = [top - 1 / n_rows + 30 / height, top - _HEAD / height]
    name = "" if i == 0 else str(i + 1)
    is_left, is_last = column == 0, row == n_rows - 1
    across, up = like.xaxis.to_plotly_json(), like.yaxis.to_plotly_json()
    across |= {"domain": sides, "anchor": f"y{name}", "title": {"text": ""}, "nticks": 5}
    up |= {"domain": ends, "anchor": f"x{name}", "title": {"text": ""}, "showticklabels": is_left}
    every = across.get("tickvals")
    if every is not None and len(every) > 4:
        across |= {"tickvals": every[::2], "ticktext": across["ticktext"][::2]}
    figure.update_layout({f"xaxis{name}": across, f"yaxis{name}": up})
    figure.add_annotation(
        text=f"<b>{clean_plotly(line.curve.label, 44)}</b>", x=sides[0], y=ends[1], xref="paper", yref="paper",
        xanchor="left", yanchor="bottom", showarrow=False, font={"color": theme.text, "size": 12},
    )  # fmt: skip
    if is_last and is_left:
        figure.add_annotation(
            text=like.xaxis.title.text, x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", yshift=-4,
            showarrow=False, font={"color": theme.muted, "size": 12},
        )  # fmt: skip


def _traces(line: Line, lines: Sequence[Line], theme: Theme) -> Iterator[go.Scatter]:
    """The others, then the line itself with what its points say."""
    for other in lines:
        if other is not line and other.levels:
            colour = other.colour if other.is_control else theme.translucent(theme.muted, 0.3)
            look = {"color": colour, "width": 1, "dash": other.dash if other.is_control else "solid"}
            yield go.Scatter(
                x=list(other.across), y=other.heights, mode="lines", line=look, hoverinfo="skip", showlegend=False
            )
    yield go.Scatter(
        x=list(line.across),
        y=line.heights,
        mode="lines+markers",
        name=clean_plotly(line.curve.label),
        line={"color": line.colour, "width": 2},
        marker={"color": line.colour, "size": 5, "symbol": line.symbol},
        customdata=[["curve", line.position, line.point_at(i)] for i in range(len(line.levels))],
        hovertext=[level_hover(line.curve.label, level) for level in line.levels],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _on(trace: go.Scatter, panel: int) -> go.Scatter:
    """The trace on the axes of a panel."""
    name = "" if panel == 0 else str(panel + 1)
    return trace.update(xaxis=f"x{name}", yaxis=f"y{name}")
