"""The weights of one layer: their spread, their picture, their units."""

from __future__ import annotations

import math
from itertools import pairwise

import plotly.graph_objects as go
import torch
from torch import Tensor

from explorer.analysis.distribution import Fit, SignedHistogram
from explorer.analysis.statistics import UnitNorms
from explorer.charts.frame import axis, empty, framed, note
from explorer.charts.picture import Picture, groups_of, picture_of
from explorer.charts.theme import Theme
from explorer.text.numbers import percent
from explorer.types.aliases import JsonDict

_MOST_BARS = 256
_HALF_PAGE = 520
_FITS = {"normal": ("normal", "6px,4px"), "laplace": ("Laplace", "solid")}


def signed_histogram(
    histogram: SignedHistogram, *, threshold: float | None = None, theme: Theme | None = None, height: int = 320
) -> go.Figure:
    """Signed weights, kept and pruned stacked, under the fitted normal and Laplace curves.

    The curves show how many weights each law expects in a bin; the legend says which has the lower AIC.
    ``threshold`` draws the line at both signs.
    """
    theme = theme or Theme.light()
    if not histogram.edges:
        return empty(theme, "This layer has no finite weights.", height=height)
    middles = [(low + high) / 2 for low, high in pairwise(histogram.edges)]
    widths = [high - low for low, high in pairwise(histogram.edges)]
    figure = framed(
        theme,
        height=height,
        x=axis(theme, "weight", range=[histogram.edges[0], histogram.edges[-1]]),
        y=axis(theme, "weights in a bin", grid=True, rangemode="tozero"),
        barmode="stack",
        bargap=0,
    )
    for name, counts, colour in (("kept", histogram.kept, theme.accent), ("pruned", histogram.pruned, theme.pruned)):
        if any(counts):
            figure.add_bar(
                x=middles,
                y=list(counts),
                width=widths,
                name=name,
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate=f"%{{y:,}} {name} near %{{x:.3g}}<extra></extra>",
            )
    for fit in histogram.fits:
        figure.add_trace(_curve(fit, histogram, theme))
    for line in () if not threshold else (-threshold, threshold):
        figure.add_vline(x=line, line={"color": theme.now, "width": 2})
    if histogram.n_not_finite:
        note(figure, theme, f"{histogram.n_not_finite:,} weights are NaN or infinite and are not shown.")
    return figure


def _curve(fit: Fit, histogram: SignedHistogram, theme: Theme) -> go.Scatter:
    low, high = histogram.edges[0], histogram.edges[-1]
    places = [low + (high - low) * i / 240 for i in range(241)]
    places = sorted({*places, min(max(fit.location, low), high)})
    per_bin = histogram.n * (high - low) / (len(histogram.edges) - 1)
    name, dash = _FITS[fit.family]
    is_better = histogram.better is fit
    return go.Scatter(
        x=places,
        y=(fit.density(places) * per_bin).tolist(),
        mode="lines",
        name=f"{name} (fits better)" if is_better else name,
        line={"color": theme.text if is_better else theme.muted, "width": 1.6, "dash": dash},
        hovertemplate=f"{name}: location {fit.location:.3g}, spread {fit.spread:.3g}<br>"
        f"log-likelihood {fit.log_likelihood:,.0f}, AIC {fit.aic:,.0f}<extra></extra>",
    )


def weight_heatmap(
    weights: Tensor,
    mask: Tensor | None = None,
    *,
    theme: Theme | None = None,
    max_side: int = 256,
    height: int = 420,
) -> go.Figure:
    """The weights as a picture, pruned ones in a grey of their own; kernels keep their shape, side by side.

    Rows are outputs, columns inputs. Blue is positive, orange negative. A matrix with more than ``max_side``
    rows or columns is shown block by block, as the mean magnitude of the kept weights; a line below says so.
    """
    theme = theme or Theme.light()
    if not weights.numel():
        return empty(theme, "This layer has no weights.", height=height)
    return _drawn(picture_of(weights, mask, max_side), theme, height)


def group_heatmap(
    weights: Tensor,
    mask: Tensor,
    m: int,
    *,
    position: int = 0,
    theme: Theme | None = None,
    most: int = 32,
    height: int = 420,
) -> go.Figure:
    """The n:m pattern as a picture: each group of ``m`` neighbouring inputs stands apart, what it lost is grey.

    ``position``: the place of the kernel that is shown. Of more than ``most`` rows or columns the first are shown.
    """
    return _drawn(groups_of(weights, mask, m, position, most), theme or Theme.light(), height)


def _drawn(picture: Picture, theme: Theme, height: int) -> go.Figure:
    n_rows, n_columns = picture.values.shape
    figure = framed(
        theme,
        height=height,
        x=axis(theme, picture.across, range=[-0.5, n_columns - 0.5], showticklabels=False),
        y=axis(theme, picture.down, range=[n_rows - 0.5, -0.5], showticklabels=False),
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        showlegend=False,
    )
    _paint(figure, picture, theme)
    if picture.places is None and max(n_rows, n_columns) <= 4 * min(n_rows, n_columns):
        # Square cells: where half a page is too narrow for this height, the rest would stay empty.
        figure.update_layout(height=min(height, round(_HALF_PAGE * n_rows / n_columns) + 60))
        figure.update_yaxes(scaleanchor="x", constrain="domain", constraintoward="top")
        figure.update_xaxes(constrain="domain")
    if picture.note:
        note(figure, theme, picture.note)
    return figure


def _paint(figure: go.Figure, picture: Picture, theme: Theme) -> None:
    """Two images: the values, and over them one colour wherever nothing is left."""
    values = picture.values
    finite = values[torch.isfinite(values)]
    limit = float(finite.abs().max()) if finite.numel() else 1.0
    stops = theme.sequential if picture.is_reduced else theme.diverging
    where, words, apart = "row %{y}, column %{x}", None, 0
    if picture.places is not None:
        rows, columns = picture.places
        apart = 2
        where, words = "%{text}", [[f"{row}, {column}" for column in columns] for row in rows]
    figure.add_heatmap(
        text=words,
        ygap=apart,
        z=torch.where(torch.isfinite(values), values, math.nan).numpy(),
        colorscale=[list(stop) for stop in stops],
        zmin=0 if picture.is_reduced else -(limit or 1.0),
        zmax=limit or 1.0,
        hovertemplate=f"{where}: %{{z:.4g}}<extra></extra>",
        colorbar=_colorbar(theme),
        hoverongaps=False,
    )
    if bool(picture.pruned.any()):
        figure.add_heatmap(
            z=torch.where(picture.pruned, 1.0, math.nan).numpy(),
            colorscale=[[0, theme.pruned], [1, theme.pruned]],
            showscale=False,
            text=words,
            ygap=apart,
            hovertemplate=f"{where}: pruned<extra></extra>",
            hoverongaps=False,
        )


def _colorbar(theme: Theme) -> JsonDict:
    # Beside the top of the picture: on a phone the picture is low, and the rest of the frame empty.
    place = {"lenmode": "pixels", "len": 200, "y": 1, "yanchor": "top"}
    return {"thickness": 10, "outlinewidth": 0, "tickfont": {"color": theme.muted, "size": 11}, **place}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def unit_norms(
    ranked: UnitNorms,
    *,
    threshold: float | None = None,
    theme: Theme | None = None,
    height: int = 320,
) -> go.Figure:
    """Units from the strongest to the weakest, pruned ones in grey, with the line at ``threshold``.

    Bars up to 256 units, points beyond. Each carries its unit's index as customdata.
    """
    theme = theme or Theme.light()
    if not ranked.units:
        return empty(theme, "This layer has no units.", height=height)
    figure = framed(
        theme,
        height=height,
        x=axis(theme, "units, strongest first"),
        y=axis(theme, _norm_name(ranked.p), grid=True, rangemode="tozero"),
        # Kept and pruned are two traces over the same places: side by side they would be half as wide.
        barmode="overlay",
        bargap=0.15 if len(ranked.units) <= 64 else 0,
    )
    for name, is_kept, colour in (("kept", True, theme.accent), ("pruned", False, theme.pruned)):
        places = [i for i, kept in enumerate(ranked.kept) if kept is is_kept]
        if places:
            figure.add_trace(_units(ranked, places, name, colour))
    if threshold is not None and math.isfinite(threshold):
        figure.add_hline(y=threshold, line={"color": theme.now, "width": 2})
    share = sum(ranked.kept) / len(ranked.kept)
    figure.update_layout(xaxis_title_text=f"{len(ranked.units):,} units, strongest first · {percent(share)} kept")
    return figure


def _norm_name(p: float) -> str:
    return {1.0: "mean |w|", 2.0: "root mean square of w"}.get(p, f"(mean |w|^{p:g})^(1/{p:g})")


def _units(ranked: UnitNorms, places: list[int], name: str, colour: str) -> go.Bar | go.Scatter:
    common = {
        "x": [i + 1 for i in places],
        "y": [_number(ranked.norms[i]) for i in places],
        "name": name,
        "customdata": [[ranked.units[i]] for i in places],
        "hovertemplate": f"unit %{{customdata[0]}}, rank %{{x}}: %{{y:.4g}} ({name})<extra></extra>",
    }
    if len(ranked.units) <= _MOST_BARS:
        return go.Bar(marker={"color": colour, "line": {"width": 0}}, **common)
    return go.Scatter(mode="markers", marker={"color": colour, "size": 4}, **common)
