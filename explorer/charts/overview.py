"""A whole model at a glance: one row a layer, its magnitudes from left to right, its line across them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.analysis.histogram import LayerMap
from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent

_ROW_HEIGHT = 18
_LABEL_HEIGHT = 15
_SMALLEST, _TALLEST = 160, 900
_MOST_LABELS = 60


def overview(
    layers: LayerMap,
    *,
    sparsities: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    symbol: str = "|w|",
    chosen: str = "",
    theme: Theme | None = None,
    height: int | None = None,
) -> go.Figure:
    """One heat map of layers x magnitude bins; at its right, with ``sparsities``, the share pruned of each layer.

    ``thresholds`` draws each layer's line (the lowest value that is kept). A point's y is the layer's place in
    ``layers.names``, and a click anywhere on a row gives customdata that :func:`picked` turns into its layer;
    ``chosen`` has a frame. 150 layers are one image: no element per cell. Without a ``height`` it grows with them.
    """
    theme = theme or Theme.light()
    if not layers.edges:
        return empty(theme, "No layer has weights to show.")
    height = height or min(_TALLEST, max(_SMALLEST, _ROW_HEIGHT * len(layers.names) + 60))
    figure = _axes(layers, symbol, theme, height, with_sparsity=sparsities is not None)
    figure.add_trace(_cells(layers, theme))
    if thresholds:
        figure.add_trace(_lines(layers, thresholds, symbol, theme))
    figure.add_trace(_rows(layers))
    if chosen in layers.names:
        row = layers.names.index(chosen)
        figure.add_shape(
            type="rect", x0=0, x1=1, xref="x domain", y0=row - 0.5, y1=row + 0.5, layer="above",
            line={"color": theme.accent, "width": 2},
        )  # fmt: skip
    if sparsities is not None:
        figure.add_trace(_pruned(layers, sparsities, theme, with_text=height >= _LABEL_HEIGHT * len(layers.names) + 60))
    return figure


def picked(customdata: Sequence[object] | object, layers: LayerMap) -> str | None:
    """The layer of a row that was clicked; None where the click was on something else."""
    place = customdata[0] if isinstance(customdata, list | tuple) and customdata else customdata
    if not isinstance(place, int | float) or not 0 <= int(place) < len(layers.names):
        return None
    return layers.names[int(place)]


def _rows(layers: LayerMap) -> go.Bar:
    """One bar without a colour over each row, since a heat map takes no clicks; it says what the row holds."""
    low, high = math.log10(layers.edges[0]), math.log10(layers.edges[-1])
    unseen = {"marker": {"opacity": 0}}
    return go.Bar(
        x=[high - low] * len(layers.names),
        base=low,
        y=list(range(len(layers.names))),
        width=1,
        orientation="h",
        marker={"opacity": 0},
        selected=unseen,
        unselected=unseen,
        customdata=[[row] for row in range(len(layers.names))],
        hovertext=[_about(layers, row) for row in range(len(layers.names))],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _about(layers: LayerMap, row: int) -> str:
    """Its name, and between which magnitudes the middle half and most of its weights lie, as far as the bins tell."""
    below = np.cumsum(layers.shares[row])
    total = float(below[-1]) if len(below) else 0.0
    places = [min(int(np.searchsorted(below, part * total)), len(below) - 1) for part in (0.25, 0.75, 0.99)]
    quarter, most, nearly = (layers.edges[place + 1] for place in places)
    name = clean_plotly(layers.names[row])
    spread = f"half of its weights about {quarter:.2g} to {most:.2g}, 99 % below {nearly:.2g}"
    return f"<b>{name}</b><br>{spread}<br>Click to see it below."


def _axes(layers: LayerMap, symbol: str, theme: Theme, height: int, *, with_sparsity: bool) -> go.Figure:
    n = len(layers.names)
    every = max(1, math.ceil(n / min(_MOST_LABELS, max(1, height // _LABEL_HEIGHT))))
    low, high = math.log10(layers.edges[0]), math.log10(layers.edges[-1])
    decades = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    across = axis(theme, symbol, range=[low, high], tickvals=[math.log10(d) for d in decades])
    across |= {"ticktext": [f"{d:g}" for d in decades], "domain": [0, 0.82 if with_sparsity else 1]}
    down = axis(theme, range=[n - 0.5, -0.5], tickvals=list(range(0, n, every)))
    down["ticktext"] = [clean_plotly(layers.names[i]) for i in range(0, n, every)]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    figure = framed(theme, height=height, x=across, y=down, showlegend=False, margin={"l": 8, "r": 8, "t": 24, "b": 8})
    if with_sparsity:
        figure.update_layout(xaxis2=axis(theme, domain=[0.84, 1], range=[-0.5, 0.5], tickvals=[0], ticktext=["pruned"]))
        figure.update_layout(xaxis2={"side": "top", "anchor": "y"})
    return figure


def _cells(layers: LayerMap, theme: Theme) -> go.Heatmap:
    """Each row is scaled by its own fullest bin: small layers would else be invisible beside large ones."""
    shares = np.array(layers.shares, dtype=np.float32)
    peaks = shares.max(axis=1, keepdims=True)
    middles = np.sqrt(np.array(layers.edges[:-1]) * np.array(layers.edges[1:]))
    return go.Heatmap(
        x=np.log10(middles),
        y=np.arange(len(layers.names)),
        z=shares / np.where(peaks > 0, peaks, 1),
        customdata=[[percent(share, 2) for share in row] for row in layers.shares],
        text=[[clean_plotly(name)] * len(middles) for name in layers.names],
        hovertemplate="<b>%{text}</b><br>about 10^%{x:.1f}: %{customdata} of its weights<extra></extra>",
        colorscale=[list(stop) for stop in theme.sequential],
        zmin=0,
        zmax=1,
        showscale=False,
        ygap=1,
    )


def _lines(layers: LayerMap, thresholds: Mapping[str, float], symbol: str, theme: Theme) -> go.Scatter:
    """One broken line: a stroke across each row at its threshold."""
    across: list[float | None] = []
    down: list[float | None] = []
    low, high = layers.edges[0], layers.edges[-1]
    for row, name in enumerate(layers.names):
        value = thresholds.get(name, 0.0)
        if value > 0 and math.isfinite(value):
            place = math.log10(min(max(value, low), high))
            across += [place, place, None]
            down += [row - 0.5, row + 0.5, None]
    return go.Scatter(
        x=across,
        y=down,
        mode="lines",
        line={"color": theme.now, "width": 2},
        hovertemplate=f"line at {clean_plotly(symbol)} = %{{text}}<extra></extra>",
        text=["" if place is None else f"{10**place:.3g}" for place in across],
    )


def _pruned(layers: LayerMap, sparsities: Mapping[str, float], theme: Theme, *, with_text: bool) -> go.Heatmap:
    shares = [sparsities.get(name, 0.0) for name in layers.names]
    return go.Heatmap(
        x=[0],
        y=list(range(len(shares))),
        z=[[share] for share in shares],
        xaxis="x2",
        zmin=0,
        zmax=1,
        colorscale=[[0, theme.translucent(theme.now, 0.0)], [1, theme.translucent(theme.now, 0.75)]],
        showscale=False,
        ygap=1,
        text=[[percent(share, 0)] for share in shares],
        texttemplate="%{text}" if with_text else None,
        textfont={"color": theme.text, "size": 11},
        hovertext=[
            [f"<b>{clean_plotly(n)}</b><br>{percent(s)} pruned"] for n, s in zip(layers.names, shares, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
