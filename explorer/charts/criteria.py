"""Two criteria on one layer: every unit a point, by its place in both rankings."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import torch
from torch import Tensor

from explorer.analysis.criteria_compared import CriteriaCompared
from explorer.charts.frame import axis, empty, framed, note
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly
from explorer.text.numbers import percent

_MOST_POINTS = 3000


def criteria_scatter(
    compared: CriteriaCompared,
    *,
    by: Literal["rank", "score"] = "rank",
    theme: Theme | None = None,
    height: int = 380,
) -> go.Figure:
    """Units by two criteria: grey ones go under both, coloured ones under one only, the others stay.

    ``by``: "rank" places each unit by the share of units that go before it, so that criteria on any scale
    compare; "score" by the scores themselves. The lines stand where the level cuts. Up to 3,000 points are drawn,
    evenly taken from all; each carries its unit's index as customdata.
    """
    theme = theme or Theme.light()
    n = compared.group.n_units
    if not n:
        return empty(theme, "This layer has no units.", height=height)
    places = _by_rank(compared) if by == "rank" else (compared.scores[0].double(), compared.scores[1].double())
    titles = [f"{'place' if by == 'rank' else 'score'} under {clean_plotly(name)}" for name in compared.names]
    more = {"range": [-0.02, 1.02], "tickformat": ".0%"} if by == "rank" else {"exponentformat": "power"}
    figure = framed(
        theme,
        height=height,
        x=axis(theme, titles[0], grid=True, **more),
        y=axis(theme, titles[1], grid=True, **more),
    )
    shown = torch.arange(n) if n <= _MOST_POINTS else torch.arange(_MOST_POINTS) * n // _MOST_POINTS
    for name, inside, colour, symbol in _kinds(compared, theme):
        units = shown[inside[shown]]
        if len(units):
            figure.add_trace(_points(compared, places, units, name, colour, symbol))
    _cuts(figure, compared, places, theme)
    drawn = "" if len(shown) == n else f". {len(shown):,} of them are drawn"
    note(figure, theme, f"{_agreement(compared, n)}{drawn}.")
    return figure


def _agreement(compared: CriteriaCompared, n: int) -> str:
    text = f"Rank correlation {compared.correlation:.2f} over {n:,} {clean_plotly(compared.group.unit)}s"
    if compared.overlap is None:
        return text
    by_chance = percent(compared.overlap_by_chance)
    return f"{text}<br>{percent(compared.overlap)} of what goes is the same ({by_chance} by chance)"


def _by_rank(compared: CriteriaCompared) -> tuple[Tensor, Tensor]:
    last = max(1, compared.group.n_units - 1)
    first, second = compared.ranks()
    return first / last, second / last


def _kinds(compared: CriteriaCompared, theme: Theme) -> list[tuple[str, Tensor, str, str]]:
    first, second = compared.kept
    names = [clean_plotly(name) for name in compared.names]
    return [
        ("stays", first & second, theme.accent, "circle"),
        ("goes under both", ~first & ~second, theme.control, "circle"),
        (f"goes under {names[0]} only", ~first & second, theme.bad, "triangle-left"),
        (f"goes under {names[1]} only", first & ~second, theme.second, "triangle-down"),
    ]


def _points(
    compared: CriteriaCompared, places: tuple[Tensor, Tensor], units: Tensor, name: str, colour: str, symbol: str
) -> go.Scatter:
    scores = torch.stack([compared.scores[0][units].double(), compared.scores[1][units].double()], dim=1)
    size = 7 if compared.group.n_units <= 200 else 5
    x_name, y_name = (clean_plotly(each) for each in compared.names)
    return go.Scatter(
        x=places[0][units].tolist(),
        y=places[1][units].tolist(),
        mode="markers",
        name=name,
        marker={"color": colour, "size": size, "symbol": symbol, "opacity": 0.75, "line": {"width": 0}},
        customdata=[[unit, *pair] for unit, pair in zip(units.tolist(), scores.tolist(), strict=True)],
        hovertemplate=f"{clean_plotly(compared.group.unit)} %{{customdata[0]:,}}: {name}<br>"
        f"{x_name} %{{customdata[1]:.4g}}, {y_name} %{{customdata[2]:.4g}}<extra></extra>",
    )


def _cuts(figure: go.Figure, compared: CriteriaCompared, places: tuple[Tensor, Tensor], theme: Theme) -> None:
    """One line for each criterion, between the last that goes and the first that stays."""
    if not 0 < compared.n_pruned < compared.group.n_units:
        return
    for line, place, kept in zip("xy", places, compared.kept, strict=True):
        middle = float(place[~kept].max() + place[kept].min()) / 2
        add = figure.add_vline if line == "x" else figure.add_hline
        add(**{line: middle}, line={"color": theme.now, "width": 1.5})
