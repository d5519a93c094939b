"""Several models on one chart, where they are confused, which weights they share, and where their outputs part."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.analysis.models_compared.layers import LayerDifference
from explorer.analysis.models_compared.lineage_map import LineageNode
from explorer.analysis.models_compared.result import ComparedModel, Difference, ModelsCompared
from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.text.names import clean_plotly
from explorer.text.numbers import bytes_counted, count, interval, level, number, percent, times
from explorer.types import Measurement
from explorer.types.aliases import JsonDict

_ROW, _ABOVE, _SMALLEST, _TALLEST = 24, 100, 180, 1200
_MOST_NUMBERS = 20  # of classes whose counts are written into a matrix
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")


@dataclass(frozen=True)
class Axis:
    """What a chart of models may be drawn against: its title, the measurement of a model, and how that reads."""

    title: str
    of: Callable[[ComparedModel], Measurement | None]
    text: Callable[[float], str]
    tick: str = ""


def _against(part: str) -> Callable[[ComparedModel], Measurement | None]:
    return lambda model: None if model.against is None else getattr(model.against, part)


AXES: Mapping[str, Axis] = {
    "score": Axis("accuracy", lambda m: m.score, percent, ".0%"),
    "sparsity": Axis("sparsity", lambda m: m.sparsity, percent, ".0%"),
    "size": Axis("bytes of the file", lambda m: m.size, bytes_counted),
    "macs": Axis("MACs whose weight is not zero", lambda m: m.macs, count),
    "loss": Axis("loss", lambda m: m.loss, number),
    "changed": Axis("answers other than the first one's", _against("changed"), percent, ".0%"),
    "time": Axis("time / time of the first", _against("time"), times),
}


def axes_of(compared: ModelsCompared) -> dict[str, str]:
    """The axes on which at least two of the models have a place, with their titles."""
    there = {key: sum(each.of(model) is not None for model in compared.models) for key, each in AXES.items()}
    score = compared.models[0].score.name.replace("_", " ")
    return {key: score if key == "score" else AXES[key].title for key, n in there.items() if n > 1}


def usual_axis(compared: ModelsCompared) -> str:
    """What a chart goes across by at first: the sparsity, or the bytes where zeros are not counted of every model."""
    return "sparsity" if all(model.sparsity is not None for model in compared.models) else "size"


def compared_models(
    compared: ModelsCompared, *, x: str | None = None, y: str = "score", theme: Theme | None = None, height: int = 380
) -> go.Figure:
    """A point a model, with its 95 % intervals; ``x`` and ``y`` are keys of :func:`axes_of`."""
    theme, titles, x = theme or Theme.light(), axes_of(compared), x or usual_axis(compared)
    across, up = AXES[x], AXES[y]
    figure = framed(
        theme, height=height, x=_axis(theme, across, titles.get(x, across.title), compared, grid=False),
        y=_axis(theme, up, titles.get(y, up.title), compared, grid=True),
    )  # fmt: skip
    for i, model in enumerate(compared.models):
        places = across.of(model), up.of(model)
        if places[0] is None or places[1] is None:
            continue
        figure.add_trace(_point(model, i, (places[0], places[1]), (across, up), theme))
    return figure


def _axis(theme: Theme, of: Axis, title: str, compared: ModelsCompared, *, grid: bool) -> JsonDict:
    measurements = [of.of(model) for model in compared.models]
    share = all(m is None or m.unit == "fraction" for m in measurements)
    more = {"tickformat": of.tick if share and of.tick else "~s" if of.title.startswith(("bytes", "MACs")) else ""}
    return axis(theme, clean_plotly(title), grid=grid, **more)


def _point(
    model: ComparedModel, i: int, places: tuple[Measurement, Measurement], axes: tuple[Axis, Axis], theme: Theme
) -> go.Scatter:
    (x, y), colour = places, theme.curves[i % len(theme.curves)]
    lines = [f"<b>{clean_plotly(model.name)}</b>"]
    lines += [f"{a.title} {_text(m, a)}{_ends(m, a)} · {m.origin}" for m, a in zip(places, axes, strict=True)]
    return go.Scatter(
        x=[x.value], y=[y.value], mode="markers", name=clean_plotly(model.name, 40), customdata=[[i]],
        marker={"size": 12, "color": colour, "symbol": _SYMBOLS[i % len(_SYMBOLS)]}, cliponaxis=False,
        error_x=_bars(x, theme), error_y=_bars(y, theme),
        hovertext=["<br>".join(lines)], hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _text(m: Measurement, of: Axis) -> str:
    return level(m) if of.tick and m.unit != "fraction" else of.text(m.value)


def _ends(m: Measurement, of: Axis) -> str:
    if m.low is None or m.high is None:
        return ""
    return f" ({interval(m) if m.unit == 'fraction' else f'{of.text(m.low)} – {of.text(m.high)}'})"


def _bars(m: Measurement, theme: Theme) -> JsonDict | None:
    if m.low is None or m.high is None:
        return None
    return {
        "type": "data", "array": [m.high - m.value], "arrayminus": [m.value - m.low],
        "color": theme.muted, "thickness": 1, "width": 4,
    }  # fmt: skip


def confusion(
    counts: Sequence[Sequence[int]], names: Sequence[str], *, is_difference: bool = False, theme: Theme | None = None
) -> go.Figure:
    """A row a class, a column an answer; right answers on the diagonal. Of a difference more is blue, fewer orange."""
    theme = theme or Theme.light()
    n, labels = len(names), [clean_plotly(name, 24) for name in names]
    most = max((abs(value) for row in counts for value in row), default=0) or 1
    texts = [
        [f"{value:+,}" if is_difference and value else f"{value:,}" if value else "" for value in r] for r in counts
    ]
    across = axis(theme, "answer", tickvals=list(range(n)), ticktext=labels)
    down = axis(theme, "right class", tickvals=list(range(n)), ticktext=labels, autorange="reversed")
    height = min(_TALLEST, max(320, _ROW * n + _ABOVE))
    figure = framed(theme, height=height, x=across, y=down)
    figure.add_trace(
        go.Heatmap(
            z=[list(row) for row in counts], colorscale=[list(s) for s in _scale(theme, is_difference)],
            zmin=-most if is_difference else 0, zmax=most, showscale=False, xgap=1, ygap=1,
            text=texts, texttemplate="%{text}" if n <= _MOST_NUMBERS else "", hoverinfo="text",
            customdata=[
                [f"{labels[i]} answered as {labels[j]}: {_cell(value, is_difference)}" if value else ""
                 for j, value in enumerate(row)]
                for i, row in enumerate(counts)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )  # fmt: skip
    return figure


def _cell(value: int, is_difference: bool) -> str:
    """A count, with its sign where it is a difference; nothing for none."""
    return "" if not value else f"{value:+,}" if is_difference else f"{value:,}"


def _scale(theme: Theme, is_difference: bool) -> Sequence[tuple[float, str]]:
    return theme.diverging if is_difference else theme.sequential


def weights_shared(against: Difference, *, theme: Theme | None = None) -> go.Figure:
    """A bar a layer: of its weights, the shares that are not zero in both models, in one alone, in neither."""
    theme = theme or Theme.light()
    shown = [each for each in against.weights if not each.why_not]
    if not shown:
        return empty(theme, "No layer of both models has the same shape.")
    height = min(_TALLEST, max(_SMALLEST, _ROW * len(shown) + _ABOVE))
    figure = framed(
        theme, height=height, barmode="stack", bargap=0.3,
        x=axis(theme, "share of the layer's weights", grid=True, tickformat=".0%", range=[0, 1.001]),
        y=axis(theme, autorange="reversed", tickvals=list(range(len(shown))),
               ticktext=[clean_plotly(each.layer, 32) for each in shown]),
    )  # fmt: skip
    parts = (("both", "in both", theme.accent), ("only_first", "only in the first", theme.now),
             ("only_other", "only in the other", theme.second), ("neither", "in neither", theme.pruned))  # fmt: skip
    for key, name, colour in parts:
        numbers = [getattr(each, key) for each in shown]
        figure.add_trace(
            go.Bar(
                x=[n / each.n for n, each in zip(numbers, shown, strict=True)], y=list(range(len(shown))), name=name,
                orientation="h", marker={"color": colour},
                hovertext=[f"{clean_plotly(each.layer)}: {n:,} of {each.n:,} {name}"
                           for n, each in zip(numbers, shown, strict=True)],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    figure.update_layout(legend_traceorder="normal")
    return figure


def layers_apart(against: Difference, *, theme: Theme | None = None) -> go.Figure:
    """How far the output of each layer is from the first model's, in the order of the pass."""
    theme = theme or Theme.light()
    shown = [each for each in against.layers if each.difference is not None and math.isfinite(each.difference)]
    if not shown:
        return empty(theme, "No layer of both models gives outputs of the same shape.")
    height = min(_TALLEST, max(_SMALLEST, _ROW * len(shown) + _ABOVE))
    figure = framed(
        theme, height=height,
        x=axis(theme, "norm of the difference / norm of the first one's output", grid=True, rangemode="tozero"),
        y=axis(theme, autorange="reversed", tickvals=list(range(len(shown))),
               ticktext=[clean_plotly(each.layer, 32) for each in shown]),
    )  # fmt: skip
    parted = [each.has_parted for each in shown]
    figure.add_trace(
        go.Bar(
            x=[each.difference for each in shown], y=list(range(len(shown))), orientation="h", showlegend=False,
            marker={"color": [theme.now if is_other else theme.control for is_other in parted]},
            hovertext=[f"{clean_plotly(each.layer)}: {number(each.difference)}"
                       + (", here they part" if each.layer == against.parts_at else "") for each in shown],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )  # fmt: skip
    return figure


def activations(of: LayerDifference, names: tuple[str, str], *, theme: Theme | None = None) -> go.Figure:
    """How one layer's outputs are distributed in the first model and in another: lines through the counts of bins."""
    theme = theme or Theme.light()
    counts = of.activations
    if counts is None:
        return empty(theme, clean_plotly(of.why_not or "Its outputs are not numbers.", 120))
    width = (counts.high - counts.low) / len(counts.before)
    middles = [counts.low + width * (i + 0.5) for i in range(len(counts.before))]
    figure = framed(
        theme, height=300, x=axis(theme, f"output of {clean_plotly(of.layer, 40)}"),
        y=axis(theme, "share of the outputs", grid=True, tickformat=".0%", rangemode="tozero"),
    )  # fmt: skip
    for name, values, colour, dash in zip(
        names, (counts.before, counts.after), (theme.muted, theme.accent), ("6px,4px", "solid"), strict=True
    ):
        total = sum(values) or 1
        figure.add_trace(
            go.Scatter(
                x=middles, y=[n / total for n in values], mode="lines", name=clean_plotly(name, 40),
                line={"color": colour, "width": 2, "dash": dash, "shape": "hvh"},
                hovertext=[f"{n:,} near {number(x)}" for n, x in zip(values, middles, strict=True)],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )  # fmt: skip
    return figure


def lineage(nodes: Sequence[LineageNode], names: Sequence[str], *, theme: Theme | None = None) -> go.Figure:
    """A tree from left to right: what was made from what. A compared model is filled, and carries its place."""
    theme = theme or Theme.light()
    depth: dict[str, int] = {}
    rows = {node.key: i for i, node in enumerate(nodes)}
    for node in nodes:
        depth[node.key] = 0 if node.parent is None else depth[node.parent] + 1
    height = max(120, 48 * len(nodes) + 30)
    hidden = {"visible": False, "fixedrange": True}
    figure = framed(
        theme, height=height, x=hidden | {"range": [-0.15, max(depth.values(), default=0) + 2.2]},
        y=hidden | {"range": [len(nodes) - 0.5, -0.6]}, showlegend=False, margin={"l": 4, "r": 4, "t": 4, "b": 4},
    )  # fmt: skip
    for node in nodes:
        if node.parent is not None:
            x, y = depth[node.parent], rows[node.parent]
            figure.add_trace(
                go.Scatter(
                    x=[x, x, depth[node.key]], y=[y, rows[node.key], rows[node.key]], mode="lines", hoverinfo="skip",
                    line={"color": theme.muted, "width": 1.5},
                )
            )  # fmt: skip
    figure.add_trace(_states(nodes, names, depth, theme))
    return figure


def _states(nodes: Sequence[LineageNode], names: Sequence[str], depth: Mapping[str, int], theme: Theme) -> go.Scatter:
    texts = []
    for node in nodes:
        compared = ", ".join(clean_plotly(names[i], 36) for i in node.models)
        texts.append(f"<b>{compared}</b><br>{node.kind}" if compared else f"{node.kind}<br>{clean_plotly(node.title)}")
    return go.Scatter(
        x=[depth[node.key] for node in nodes], y=list(range(len(nodes))), mode="markers+text", text=texts,
        textposition="middle right", textfont={"color": theme.text, "size": 12},
        customdata=[[node.models[0] if node.models else -1] for node in nodes],
        marker={
            "size": 14, "line": {"width": 2, "color": theme.accent},
            "color": [theme.accent if node.models else theme.background for node in nodes],
        },
        hovertext=[f"{node.kind}: {clean_plotly(node.title, 200)}" for node in nodes],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
