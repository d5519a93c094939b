"""How much each layer suffers alone: heat maps, curves, a ranking, and what layers do to one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from explorer.analysis.sensitivity.by_block import BlockGrid
from explorer.analysis.sensitivity.cell import Cell
from explorer.analysis.sensitivity.scan import Joint, Sensitivity
from explorer.analysis.sensitivity.weight_energy import Energy
from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.metrics.base import evaluated_by
from explorer.text.delta import (
    as_change,
    delta,
    delta_short,
    delta_text,
    delta_with_ends,
    direction,
    in_unit,
    named,
    unit_words,
)
from explorer.text.names import clean_plotly
from explorer.text.numbers import level, percent
from explorer.types import Measurement
from explorer.types.aliases import JsonDict

_ROW, _BLOCK_ROW = 26, 30
_SMALLEST, _TALLEST = 200, 1000
TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
MOST_TEXT = 400
# Of the scale: so strong a ground is written on in the other colour.
STRONG, STRONG_ON_DARK = 0.8, 0.52
_MOST_PARTS = 12


def depth(drop: float, scale: float = 1.0) -> float:
    """A drop on a scale where one point can be told from none: the square root of its part of ``scale``."""
    return math.sqrt(min(1.0, max(0.0, drop / scale)))


def shade(cell: Cell, scale: float = 1.0) -> float:
    """The depth of a cell's colour: none where the interval of its change covers zero, or where it got better."""
    return depth(cell.drop.value, scale) if direction(cell.drop) == "worse" else 0.0


def heatmap(
    sensitivity: Sensitivity, groups: Sequence[str], levels: Sequence[float], *, theme: Theme | None = None
) -> go.Figure:
    """Layers x levels; darker costs more, no colour: as far as the interval tells, nothing. Unmeasured cells are empty.

    ``groups`` and ``levels`` give rows and columns, so that the picture fills in place while a scan runs.
    """
    theme = theme or Theme.light()
    if not groups:
        return empty(theme, "Nothing can be scanned here.")
    rows = [[sensitivity.cell(group, level) for level in levels] for group in groups]
    figure = _grid(groups, levels, theme)
    figure.add_trace(_cells(rows, theme, sensitivity))
    if len(groups) * len(levels) <= MOST_TEXT:
        figure.add_trace(_numbers(rows, theme, sensitivity.scale))
    else:
        figure.add_trace(_unseen_marks(rows))
    return figure


def by_block_map(sensitivity: Sensitivity, table: BlockGrid, level: float, *, theme: Theme | None = None) -> go.Figure:
    """What each layer costs alone at one level; darker costs more, unmeasured and absent ones are empty.

    Marks carry the customdata (layer, level) of the other heat map.
    """
    theme = theme or Theme.light()
    rows = [[_cell(sensitivity, layer, level) for layer in row] for row in table.layers]
    figure = _block_grid(table, theme)
    figure.add_trace(_cells(rows, theme, sensitivity).update(showscale=False))  # that of the other map stands above
    if len(table.kinds) * len(table.blocks) <= MOST_TEXT // 2:  # blocks stand closer than levels
        return figure.add_trace(_numbers(rows, theme, sensitivity.scale))
    return figure.add_trace(_unseen_marks(rows))


def _cell(sensitivity: Sensitivity, layer: str | None, level: float) -> Cell | None:
    return None if layer is None else sensitivity.cell(layer, level)


def _block_grid(table: BlockGrid, theme: Theme) -> go.Figure:
    n_kinds, n_blocks = len(table.kinds), len(table.blocks)
    every = max(1, n_blocks // 16)
    across = axis(theme, "block", tickvals=list(range(0, n_blocks, every)), range=[-0.5, n_blocks - 0.5])
    across["ticktext"] = [str(block) for block in table.blocks][::every]
    down = axis(theme, range=[n_kinds - 0.5, -0.5], tickvals=list(range(n_kinds)))
    down["ticktext"] = [clean_plotly(kind) for kind in table.kinds]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    return framed(theme, height=_BLOCK_ROW * n_kinds + 96, x=across, y=down, showlegend=False)


def _unseen_marks(rows: Sequence[Sequence[Cell | None]]) -> go.Scatter:
    """Marks that are not seen, one on each measured cell: a heat map alone takes no clicks."""
    cells = [(x, y, cell) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell is not None]
    return _unseen([(x, y, cell.group, cell.level, _hover(cell)) for x, y, cell in cells])


def _unseen(places: Sequence[tuple[int, int, str, float, str]]) -> go.Scatter:
    unseen = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=[x for x, *_ in places],
        y=[y for _, y, *_ in places],
        mode="markers",
        marker={"size": 22, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        customdata=[[group, level] for _, _, group, level, _ in places],
        hovertext=[text for *_, text in places],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def energy_heatmap(
    energies: Sequence[Energy], groups: Sequence[str], levels: Sequence[float], *, theme: Theme | None = None
) -> go.Figure:
    """The same picture before a scan, in another colour: the share of each layer's squared weights that a level takes.

    Counted from the weights alone: it says nothing of accuracy.
    """
    theme = theme or Theme.light()
    if not groups:
        return empty(theme, "Nothing of this model can be pruned in these units.")
    removed = {(e.group, e.level): e.removed.value for e in energies}
    rows = [[removed.get((group, level)) for level in levels] for group in groups]
    figure = _grid(groups, levels, theme)
    places = [
        (x, y, group, level, _energy_hover(group, level, removed[group, level]))
        for y, group in enumerate(groups)
        for x, level in enumerate(levels)
        if (group, level) in removed
    ]
    is_written = len(groups) * len(levels) <= MOST_TEXT
    figure.add_heatmap(
        z=rows,
        text=[["" if share is None or not is_written else percent(share, 0) for share in row] for row in rows],
        texttemplate="%{text}",
        textfont={"size": 11, "color": theme.text},
        colorscale=[[0.0, theme.translucent(theme.accent, 0.04)], [1.0, theme.translucent(theme.accent, 0.5)]],
        zmin=0.0,
        zmax=1.0,
        xgap=2,
        ygap=2,
        showscale=False,
        hoverinfo="skip",
    )
    return figure.add_trace(_unseen(places))


def _energy_hover(group: str, level: float, share: float) -> str:
    return f"{clean_plotly(group)}: {percent(level, 0)} of it hold {percent(share)} of its squared weights (counted)"


def _grid(groups: Sequence[str], levels: Sequence[float], theme: Theme) -> go.Figure:
    """Layers down, levels across, and nothing in it yet."""
    height = min(_TALLEST, max(_SMALLEST, _ROW * len(groups) + 90))
    across = axis(theme, "share pruned of this layer alone", tickvals=list(range(len(levels))))
    across["ticktext"] = [percent(level, 0) for level in levels]
    across["side"] = "bottom"
    every = max(1, math.ceil(len(groups) * 15 / height))
    down = axis(theme, range=[len(groups) - 0.5, -0.5], tickvals=list(range(0, len(groups), every)))
    down["ticktext"] = [clean_plotly(name) for name in groups][::every]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    across["range"] = [-0.5, len(levels) - 0.5]
    return framed(theme, height=height, x=across, y=down, showlegend=False)


def _cells(rows: list[list[Cell | None]], theme: Theme, sensitivity: Sensitivity) -> go.Heatmap:
    scale = sensitivity.scale
    return go.Heatmap(
        z=[[None if cell is None else 0.0 - shade(cell, scale) for cell in row] for row in rows],
        customdata=[[_hover(cell) for cell in row] for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=[[1 - stop, colour] for stop, colour in reversed(cost_scale(theme))],
        zmin=-1.0,
        zmax=0.0,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        colorbar={
            "tickvals": [-depth(drop) for drop in TICKS],
            "ticktext": tick_texts(sensitivity),
            "title": {"text": axis_title(sensitivity), "font": {"size": 11, "color": theme.muted}},
            "tickfont": {"size": 11, "color": theme.muted},
            "thickness": 10,
            "outlinewidth": 0,
        },
    )


def tick_texts(sensitivity: Sensitivity) -> list[str]:
    """What the colours stand for: changes, down to the worst."""
    drops = [sensitivity.as_drop(sensitivity.scale * drop, "") for drop in TICKS]
    return [delta_short(drop).removesuffix(".0") for drop in drops]


def axis_title(sensitivity: Sensitivity) -> str:
    """What changes are of, with their unit: "Δ accuracy, pt", "Δ loss, nats"."""
    unit = in_unit(sensitivity.as_drop(0.0, ""))
    return named(sensitivity.judged) + (f", {unit}" if unit else "")


def _numbers(rows: list[list[Cell | None]], theme: Theme, scale: float) -> go.Scatter:
    """What is written on the cells, dark on light grounds and light on dark ones; a click on one tells which it is."""
    places = [(x, y, cell) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell is not None]
    is_dark = theme.background < "#7"
    on_strong, strong = (theme.background, STRONG_ON_DARK) if is_dark else ("#ffffff", STRONG)
    return go.Scatter(
        x=[x for x, _, _ in places],
        y=[y for _, y, _ in places],
        mode="markers+text",
        marker={"size": 22, "opacity": 0},
        text=[short(cell) for _, _, cell in places],
        textfont={
            "size": 11,
            "color": [on_strong if shade(cell, scale) > strong else theme.text for _, _, cell in places],
        },
        customdata=[[cell.group, cell.level] for _, _, cell in places],
        hovertext=[_hover(cell) for _, _, cell in places],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}, "textfont": {"color": theme.muted}},
    )


def cost_scale(theme: Theme) -> tuple[tuple[float, str], ...]:
    """No cost: the ground's own tint; all is lost: strong orange. Lightness alone tells the order."""
    dark = theme.background < "#7"
    if dark:
        return ((0.0, "#222631"), (0.1, "#3d3226"), (0.35, "#7a4a17"), (0.7, "#cf7a1b"), (1.0, "#ffc27a"))
    return ((0.0, "#eef0f6"), (0.1, "#fbe3c4"), (0.35, "#f3b56b"), (0.7, "#d9730f"), (1.0, "#7f3a00"))


def short(cell: Cell) -> str:
    """The change in points, as short as it can be said: "−2.3", "0"; "≈ 0" of a part of the samples so far."""
    text = delta_short(cell.drop)
    return ("" if cell.complete else "≈ ") + ("0" if text == "0.0" else text)


def _hover(cell: Cell | None) -> str:
    if cell is None:
        return "not measured yet"
    drop = cell.drop
    state = "" if cell.complete else ", so far"
    return (
        f"<b>{clean_plotly(cell.group)}</b> at {percent(cell.share)}: {cell.n_pruned:,} of {cell.n_units:,}<br>"
        f"{named(clean_plotly(evaluated_by(cell.judged_by, cell.accuracy)))} {delta_with_ends(drop)}<br>"
        f"{clean_plotly(cell.accuracy.name)} {level(cell.accuracy)}<br>"
        f"{cell.mode} ({drop.origin}) on {cell.n:,} of {cell.total:,}{state}"
    )


def curves(
    sensitivity: Sensitivity,
    groups: Sequence[str],
    *,
    budget: float | None = None,
    theme: Theme | None = None,
    height: int = 340,
) -> go.Figure:
    """What the whole model reaches against the share pruned of one layer; straight lines, 95 % bands."""
    theme = theme or Theme.light()
    shown = [group for group in groups if sensitivity.curve(group)]
    if not shown:
        return empty(theme, "No layer has been measured yet.", height=height)
    across = axis(theme, "share pruned of this layer alone", tickformat=".0%", range=[-0.01, 1.01])
    as_share = {"tickformat": ".0%", "range": [-0.01, 1.04]} if sensitivity.is_fraction else {}
    up = axis(theme, clean_plotly(sensitivity.judged), grid=True, **as_share)
    figure = framed(theme, height=height, x=across, y=up)
    for i, group in enumerate(shown):
        colour = theme.curves[i % len(theme.curves)]
        dash = ("solid", "4px,3px", "1px,3px")[i // len(theme.curves) % 3]
        _add_curve(figure, sensitivity, group, colour, dash, theme)
    if budget is not None and sensitivity.cells[0].judged_by != "agreement":
        line = sensitivity.at_drop(budget)
        figure.add_hline(line, line={"color": theme.good, "width": 1, "dash": "dot"})
    return figure


def _add_curve(figure: go.Figure, sensitivity: Sensitivity, group: str, colour: str, dash: str, theme: Theme) -> None:
    cells = [cell for cell in sensitivity.curve(group) if cell.n_pruned]
    x = [0.0, *(cell.share for cell in cells)]
    # From the paired drops: what was measured on some of the samples so far has no other comparable height.
    drops = [Measurement("drop", 0.0, "fraction", "counted"), *(cell.drop for cell in cells)]
    low = [sensitivity.at_drop(d.value if d.high is None else d.high) for d in drops]
    high = [sensitivity.at_drop(d.value if d.low is None else d.low) for d in drops]
    figure.add_scatter(
        x=x + x[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=theme.translucent(colour, theme.band),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=group,
    )
    figure.add_scatter(
        x=x,
        y=[sensitivity.at_drop(drop.value) for drop in drops],
        mode="lines+markers",
        name=clean_plotly(group),
        legendgroup=group,
        line={"color": colour, "width": 2, "dash": dash},
        marker={"size": 5.5},
        hovertext=["dense", *(_hover(cell) for cell in cells)],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def ranked(sensitivity: Sensitivity, level: float, *, theme: Theme | None = None, most: int = 40) -> go.Figure:
    """One level across layers, the most fragile first, with the interval of each change; grey where it covers zero."""
    theme = theme or Theme.light()
    cells = sensitivity.ranking(level)[:most]
    if not cells:
        return empty(theme, "This level has not been measured yet.")
    height = min(_TALLEST, max(_SMALLEST, 22 * len(cells) + 70))
    what = named(clean_plotly(sensitivity.judged)) + unit_words(cells[0].drop)
    across = axis(theme, f"{what}, {cells[0].drop.origin}", grid=True)
    down = axis(theme, autorange="reversed", tickvals=list(range(len(cells))))
    down["ticktext"] = [clean_plotly(cell.group) for cell in cells]
    down["tickfont"] = {"color": theme.muted, "size": 11, "family": "ui-monospace, monospace"}
    figure = framed(theme, height=height, x=across, y=down, showlegend=False, bargap=0.35)
    tones = {"worse": theme.bad, "better": theme.good, "": theme.control}
    figure.add_bar(
        x=[drawn(cell.drop) for cell in cells],
        y=list(range(len(cells))),
        orientation="h",
        marker={"color": [tones[direction(cell.drop)] for cell in cells], "opacity": 0.85},
        error_x=_whiskers([cell.drop for cell in cells], theme),
        hovertext=[_hover(cell) for cell in cells],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    return figure


def interaction(joint: Joint, *, judged: str = "accuracy", theme: Theme | None = None, height: int = 220) -> go.Figure:
    """What the single drops add up to (estimated) above what all of them together cost (measured)."""
    theme = theme or Theme.light()
    parts = sorted(joint.singles.items(), key=lambda item: -item[1])
    rest = parts[_MOST_PARTS:]
    shown = parts[:_MOST_PARTS] + ([(f"{len(rest)} others", sum(value for _, value in rest))] if rest else [])
    across = axis(theme, named(clean_plotly(judged)) + unit_words(joint.measured), grid=True, rangemode="tozero")
    figure = framed(
        theme, height=height, x=across, y=axis(theme, autorange="reversed"), barmode="relative", showlegend=False
    )
    names = ["sum of the layers alone,<br>estimated", "all together,<br>measured"]
    for i, (name, value) in enumerate(shown):
        alone = replace(joint.predicted, value=value)
        figure.add_bar(
            x=[drawn(alone)],
            y=names[:1],
            orientation="h",
            marker={"color": theme.accent, "opacity": 0.95 - 0.55 * (i % 2), "line": {"width": 0}},
            hovertemplate=f"{clean_plotly(name)} alone: {delta_text(alone)} (estimated)<extra></extra>",
        )
    figure.add_bar(
        x=[drawn(joint.measured)],
        y=names[1:],
        orientation="h",
        marker={"color": theme.now},
        error_x=_whiskers([joint.measured], theme),
        hovertemplate=f"together: {delta_text(joint.measured)} (measured)<extra></extra>",
    )
    return figure


def drawn(drop: Measurement) -> float:
    """A change as it is drawn: in points, or in its own unit where it is no share."""
    return (100 if drop.unit == "fraction" else 1) * delta(drop)


def _whiskers(drops: Sequence[Measurement], theme: Theme) -> JsonDict:
    """95 % intervals of the changes as error bars, in points or in their own unit."""
    changes = [as_change(drop) for drop in drops]
    times = 100 if not drops or drops[0].unit == "fraction" else 1
    up = [times * (c.high - c.value) if c.high is not None else 0.0 for c in changes]
    down = [times * (c.value - c.low) if c.low is not None else 0.0 for c in changes]
    return {"type": "data", "array": up, "arrayminus": down, "color": theme.muted, "thickness": 1, "width": 3}
