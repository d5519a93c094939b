"""How wide each layer of the network was and is."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent
from explorer.types import Plan

_MOST_NAMES = 24


def widths(plan: Plan, *, theme: Theme | None = None, height: int = 190) -> go.Figure:
    """One pair of bars a line, in the network's order: units before (pale) and after (strong)."""
    theme = theme or Theme.light()
    shown = [k for k in plan.groups if k.group.why_not is None]
    if not shown:
        return empty(theme, "Nothing here can become narrower.", height=height)
    places = list(range(len(shown)))
    every = max(1, -(-len(shown) // _MOST_NAMES))
    across = axis(theme, tickvals=places[::every], tickangle=-35)
    across["ticktext"] = [clean_plotly(k.group.name) for k in shown][::every]
    across["tickfont"] = {"color": theme.muted, "size": 10, "family": "ui-monospace, monospace"}
    up = axis(theme, f"{shown[0].group.unit}s", grid=True, rangemode="tozero")
    figure = framed(theme, height=height, x=across, y=up, barmode="overlay", bargap=0.3)
    words = [
        f"<b>{clean_plotly(k.group.name)}</b><br>{k.group.n_units - k.n_pruned:,} of {k.group.n_units:,}"
        f" {k.group.unit}s stay ({percent(1 - k.sparsity)})"
        for k in shown
    ]
    for name, values, colour in (
        ("before", [k.group.n_units for k in shown], theme.pruned),
        ("after", [k.group.n_units - k.n_pruned for k in shown], theme.accent),
    ):
        figure.add_bar(
            x=places,
            y=values,
            name=name,
            marker_color=colour,
            hovertext=words,
            hovertemplate="%{hovertext}<extra></extra>",
        )
    return figure
