"""Right answers class by class: the pruned model's, with the dense model's beside them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.metrics.per_class import ClassCount
from explorer.text.names import clean_plotly
from explorer.text.numbers import interval, percent

Row = tuple[str, ClassCount, ClassCount]  # the name of a class, pruned, dense
_ROW, _ABOVE, _SMALLEST, _TALLEST = 24, 90, 160, 700


def recall_by_class(
    names: Sequence[str], pruned: Sequence[ClassCount], dense: Sequence[ClassCount], *, theme: Theme | None = None
) -> go.Figure:
    """A bar a class, the share of its samples that are right, with its 95 % interval; a mark where the dense model is.

    Classes without a sample are left out.
    """
    theme = theme or Theme.light()
    rows = [(name, a, b) for name, a, b in zip(names, pruned, dense, strict=True) if a.n]
    if not rows:
        return empty(theme, "No class has a sample.")
    places = list(range(len(rows)))
    height = min(_TALLEST, max(_SMALLEST, _ROW * len(rows) + _ABOVE))
    down = axis(theme, autorange="reversed", tickvals=places, ticktext=[clean_plotly(name) for name, _, _ in rows])
    across = axis(theme, "share of the class that is right", grid=True, tickformat=".0%", range=[-0.01, 1.01])
    figure = framed(theme, height=height, x=across, y=down, bargap=0.35)
    figure.add_traces([_bars(rows, theme), _marks(rows, theme)])
    return figure


def _bars(rows: Sequence[Row], theme: Theme) -> go.Bar:
    recalls = [pruned.recall for _, pruned, _ in rows]
    return go.Bar(
        x=[m.value for m in recalls],
        y=list(range(len(rows))),
        orientation="h",
        name="pruned",
        marker={"color": theme.accent, "opacity": 0.85},
        error_x={
            "type": "data",
            "array": [(m.value if m.high is None else m.high) - m.value for m in recalls],
            "arrayminus": [m.value - (m.value if m.low is None else m.low) for m in recalls],
            **{"color": theme.muted, "thickness": 1, "width": 3},
        },
        hovertext=[
            f"<b>{clean_plotly(name)}</b>: {percent(a.recall.value)} ({interval(a.recall)}), {a.n_right} of {a.n}"
            f"<br>chosen {a.n_chosen} times"
            for name, a, _ in rows
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _marks(rows: Sequence[Row], theme: Theme) -> go.Scatter:
    return go.Scatter(
        x=[dense.recall.value for _, _, dense in rows],
        y=list(range(len(rows))),
        mode="markers",
        name="dense",
        marker={"symbol": "line-ns-open", "size": 14, "color": theme.text, "line": {"width": 2}},
        hovertext=[f"{clean_plotly(name)}, dense: {percent(dense.recall.value)}" for name, _, dense in rows],
        hovertemplate="%{hovertext}<extra></extra>",
    )
