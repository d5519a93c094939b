"""The activations of one layer: their distribution, its channels as ridges, and the maps of one sample."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import plotly.graph_objects as go
import torch
from torch import Tensor

from explorer.analysis.layer_activations.maps import ActivationMaps
from explorer.analysis.layer_activations.result import ActivationSpread, LayerActivations
from explorer.charts.frame import axis, empty, framed, note
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly
from explorer.text.numbers import count, number, percent

MOST_RIDGES = 24
_MOST_MAPS = 64
_RIDGE, _OVERLAP = 19, 1.9
_SIDES = {"dense": "dense", "pruned": "as pruned"}


def activation_histogram(
    layer: LayerActivations, channel: int | None = None, *, theme: Theme | None = None, height: int = 300
) -> go.Figure:
    """The activations that are not zero, of the whole layer or of one channel; the legend says how many are zero.

    Filled: the dense network. Line: the network as pruned.
    """
    theme = theme or Theme.light()
    middles = [(low + high) / 2 for low, high in pairwise(layer.edges)]
    if channel is not None and len(layer.dense.counts) != layer.dense.n_channels:
        return empty(theme, "Of so many channels only all together are counted in bins.", height=height)
    up = axis(theme, "activations in a bin", grid=True, rangemode="tozero")
    figure = framed(theme, height=height, x=axis(theme, _across(layer), range=[layer.low, layer.high]), y=up, bargap=0)
    for side, spread in layer.sides:
        counts = (spread.counts.sum(dim=0) if channel is None else spread.counts[channel]).tolist()
        name = f"{_SIDES[side]}: {percent(_zeros(spread, channel))} zero"
        hover = f"%{{y:,}} near %{{x:.3g}}, {_SIDES[side]}<extra></extra>"
        if side == "dense":
            figure.add_bar(x=middles, y=counts, name=name, marker={"color": theme.accent}, hovertemplate=hover)
        else:
            line = {"color": theme.now, "width": 2, "shape": "hvh"}
            figure.add_scatter(x=middles, y=counts, name=name, mode="lines", line=line, hovertemplate=hover)
    figure.update_layout(showlegend=True)
    return figure


def _zeros(spread: ActivationSpread, channel: int | None) -> float:
    return spread.zero_share if channel is None else float(spread.zero_shares[channel])


def _across(layer: LayerActivations) -> str:
    return f"activation after {layer.after}" if layer.after else "activation: the layer's own output"


def ridge_order(layer: LayerActivations, most: int = MOST_RIDGES) -> list[int]:
    """The channels whose ridges are drawn: those with most zeros, as pruned where there is that, ties in order."""
    spread = layer.pruned or layer.dense
    return torch.sort(spread.zeros, descending=True, stable=True).indices[:most].tolist()


def channel_ridgeline(layer: LayerActivations, *, theme: Theme | None = None, most: int = MOST_RIDGES) -> go.Figure:
    """A ridge a channel, those with most zeros above: values that are not zero, on one scale for all channels.

    Filled: the dense network. Line: the network as pruned. The label says how much of the channel is zero.
    """
    theme = theme or Theme.light()
    if len(layer.dense.counts) != layer.dense.n_channels:
        return empty(theme, "Of so many channels only all together are counted in bins.", height=300)
    channels = ridge_order(layer, most)
    tallest = max((int(spread.counts[channels].max()) for _, spread in layer.sides), default=0) or 1
    labels = [f"{channel} · {percent(_zeros(layer.pruned or layer.dense, channel), 0)}" for channel in channels]
    up = axis(theme, "channel · share of zeros", tickvals=[-i for i in range(len(channels))], ticktext=labels)
    up["range"] = [-len(channels) + 0.4, _OVERLAP + 0.1]
    across = axis(theme, _across(layer), range=[layer.low, layer.high], grid=True)
    figure = framed(theme, height=90 + _RIDGE * max(6, len(channels)), x=across, y=up, showlegend=False)
    for row, channel in enumerate(channels):
        figure.add_traces(list(_ridges(layer, channel, -row, tallest, theme)))
    if len(channels) < layer.dense.n_channels:
        note(figure, theme, f"The {len(channels)} of {layer.dense.n_channels:,} channels with most zeros.")
    return figure


def _ridges(layer: LayerActivations, channel: int, row: int, tallest: int, theme: Theme) -> Iterator[go.Scatter]:
    edges = layer.edges
    middles = [edges[0], *((low + high) / 2 for low, high in pairwise(edges)), edges[-1]]
    base = go.Scatter(x=[edges[0], edges[-1]], y=[row, row], mode="lines", hoverinfo="skip")
    yield base.update(line={"color": theme.grid, "width": 1})
    for side, spread in layer.sides:
        counts = [0, *spread.counts[channel].tolist(), 0]
        is_dense = side == "dense"
        words = (
            f"channel {channel}, {_SIDES[side]}: {percent(_zeros(spread, channel))} zero, "
            f"mean {number(float(spread.mean[channel]))}"
        )
        yield go.Scatter(
            x=middles, y=[row + _OVERLAP * n / tallest for n in counts], mode="lines", name=words,
            line={"color": theme.accent if is_dense else theme.now, "width": 1 if is_dense else 1.6},
            fill="tonexty" if is_dense else None, fillcolor=theme.translucent(theme.accent, 0.35) if is_dense else None,
            text=[f"{count(n)} values" for n in counts],
            hovertemplate=f"{words}<br>%{{text}} near %{{x:.3g}}<extra></extra>",
        )  # fmt: skip


def activation_maps(
    maps: ActivationMaps, *, side: str = "dense", theme: Theme | None = None, height: int = 380
) -> go.Figure:
    """What each channel makes of one sample, a tile a channel in rows from the top left, on one scale for both sides.

    ``side``: dense or pruned. Blue is positive, orange negative. A layer without places is one row of channels.
    """
    theme = theme or Theme.light()
    values = maps.dense if side == "dense" else maps.pruned
    if values is None or not values.numel():
        return empty(theme, "Nothing is pruned.", height=height)
    limits = [float(each.nan_to_num().abs().max()) for each in (maps.dense, maps.pruned) if each is not None]
    tiles, words, note_below = _tiled(values)
    figure = framed(
        theme, height=height, margin={"l": 8, "r": 8, "t": 12, "b": 8}, showlegend=False,
        x=axis(theme, showticklabels=False, range=[-0.5, tiles.shape[1] - 0.5]),
        y=axis(theme, showticklabels=False, range=[tiles.shape[0] - 0.5, -0.5]),
    )  # fmt: skip
    limit = max(limits) or 1.0
    figure.add_heatmap(
        z=[[_drawn(value) for value in row] for row in tiles.tolist()], customdata=words, zmin=-limit, zmax=limit,
        colorscale=[list(stop) for stop in theme.diverging], hoverongaps=False,
        hovertemplate="%{customdata}: %{z:.4g}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0, "tickfont": {"color": theme.muted, "size": 11}},
    )  # fmt: skip
    if max(tiles.shape) <= 4 * min(tiles.shape):
        figure.update_yaxes(scaleanchor="x", constrain="domain", constraintoward="top")
        figure.update_xaxes(constrain="domain")
    if note_below:
        note(figure, theme, clean_plotly(note_below, 200))
    return figure


def _drawn(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _tiled(values: Tensor) -> tuple[Tensor, Sequence[Sequence[str]], str]:
    """One picture of all tiles with a gap of NaN between them, and the name of each of its cells."""
    total = len(values)
    pictures = values[:_MOST_MAPS].flatten(3)[..., 0] if values.dim() > 3 else values[:_MOST_MAPS]
    if pictures.dim() == 1:
        pictures = values[:, None, None]
    elif pictures.dim() == 2:
        pictures = pictures[:, None, :]
    n, rows, columns = pictures.shape
    across = max(1, min(n, round(math.sqrt(n * (rows + 1) / (columns + 1)))))
    down = math.ceil(n / across)
    canvas = torch.full((down * (rows + 1) - 1, across * (columns + 1) - 1), math.nan)
    words = [["" for _ in range(canvas.shape[1])] for _ in range(canvas.shape[0])]
    for i, picture in enumerate(pictures):
        top, left = (i // across) * (rows + 1), (i % across) * (columns + 1)
        canvas[top : top + rows, left : left + columns] = picture
        for y in range(rows):
            for x in range(columns):
                words[top + y][left + x] = f"channel {i}" + (f", {y}, {x}" if rows * columns > 1 else "")
    left_out = f"The first {_MOST_MAPS} of {total:,} channels." if n < total else ""
    return canvas, words, left_out
