"""Skipped activations against accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.scale import measured_axis
from explorer.charts.theme import Theme
from explorer.recovery.activation_threshold import ActivationPoint
from explorer.text.delta import delta_text, named
from explorer.text.names import clean_plotly
from explorer.text.numbers import interval, level, percent, provenance

_MOST_LAYERS = 6


def skipped_activations(
    points: Sequence[ActivationPoint], *, theme: Theme | None = None, height: int = 320
) -> go.Figure:
    """The measured accuracy over the share of activations that were zero, with its 95 % band.

    The grey line is what is zero in the dense network already: only what lies right of it is skipped.
    """
    theme = theme or Theme.light()
    if not points:
        return empty(theme, "Nothing has been measured yet.", height=height)
    across = axis(theme, "share of activations that are zero", tickformat=".0%", range=[-0.015, 1.015])
    up = measured_axis(theme, [p.accuracy for p in points])
    figure = framed(theme, height=height, x=across, y=up, showlegend=False)
    row = sorted(points, key=lambda p: p.skipped.value)
    _zero_before(figure, row[0].already_zero.value, theme)
    figure.add_traces([*_band(row, theme), _line(row, theme)])
    return figure


def _band(row: Sequence[ActivationPoint], theme: Theme) -> Iterator[go.Scatter]:
    if len(row) < 2:
        return
    shares = [p.skipped.value for p in row]
    lows = [p.accuracy.value if p.accuracy.low is None else p.accuracy.low for p in row]
    highs = [p.accuracy.value if p.accuracy.high is None else p.accuracy.high for p in row]
    yield go.Scatter(
        x=shares + shares[::-1],
        y=highs + lows[::-1],
        fill="toself",
        fillcolor=theme.translucent(theme.accent, theme.band),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )


def _line(row: Sequence[ActivationPoint], theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=[p.skipped.value for p in row],
        y=[p.accuracy.value for p in row],
        mode="lines+markers",
        line={"color": theme.accent, "width": 2},
        marker={"color": theme.accent, "size": 8},
        hovertext=[_hover(p) for p in row],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _zero_before(figure: go.Figure, share: float, theme: Theme) -> None:
    figure.add_vline(x=share, line={"color": theme.control, "width": 1.2, "dash": "4px,4px"})
    figure.add_annotation(
        text="zero without skipping",
        x=share,
        y=1,
        yref="paper",
        xanchor="right" if share > 0.5 else "left",
        yanchor="bottom",
        showarrow=False,
        font={"color": theme.muted, "size": 12},
    )


def _hover(p: ActivationPoint) -> str:
    spread = f" (95%: {interval(p.accuracy)})" if interval(p.accuracy) else ""
    layers = [f"{clean_plotly(name)}: {percent(share, 0)}" for name, share in p.layers.items()]
    more = [f"and {len(layers) - _MOST_LAYERS} more"] if len(layers) > _MOST_LAYERS else []
    return "<br>".join(
        [
            f"<b>{percent(p.skipped.value)} zero</b>, asked {percent(p.asked, 0)} of each layer",
            f"{clean_plotly(p.accuracy.name)} <b>{level(p.accuracy)}</b>{spread}",
            f"{clean_plotly(named(p.accuracy.name))} {delta_text(p.drop)} · {provenance(p.accuracy)}",
            *layers[:_MOST_LAYERS],
            *more,
        ]
    )
