"""The network's shape: how wide each layer was and is, and what hangs together."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.charts.frame import axis, empty, framed
from explorer.charts.theme import Theme
from explorer.pruning.coupling.wiring import Wiring
from explorer.text.names import clean_graphviz, clean_plotly
from explorer.text.numbers import percent
from explorer.types import LayerTable, Plan, PruningGroup

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


def coupling_dot(
    groups: Sequence[PruningGroup], layers: LayerTable, chosen: str | None, wired: Wiring, *, theme: Theme | None = None
) -> str:
    """The layers and what reads what, as Graphviz text; everything that shrinks with ``chosen`` is lit up.

    Below a layer's name stand the shape of its weights and how many they are. Where outputs meet there is a small
    circle. Names are quoted, so that nothing in them is read as markup.
    """
    theme = theme or Theme.light()
    parameter = {layer.parameter: layer.name for layer in layers}
    lit = _roles(next((k for k in groups if k.name == chosen), None), parameter)
    ends = [name for edge in wired.edges for name in edge if name not in wired.joints]
    lines = [
        "digraph network {",
        f'  rankdir=TB; bgcolor="transparent"; nodesep=0.2; ranksep=0.3; fontcolor="{theme.text}";',
        f'  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=10, height=0.3, '
        f'color="{theme.grid}", fillcolor="{theme.background}", fontcolor="{theme.text}"];',
        f'  edge [color="{theme.control}", arrowsize=0.6];',
    ]
    dark = theme.text == Theme.dark().text
    colours = {"scored": (theme.accent, "#14161c" if dark else "#ffffff"), "consumes": (theme.now, "#1d2129")}
    for name in dict.fromkeys([*ends, *(n for k in groups for n in k.layers)]):
        fill = colours.get(lit.get(name, ""))
        paint = f', fillcolor="{fill[0]}", fontcolor="{fill[1]}"' if fill else ""
        lines.append(f"  {clean_graphviz(name)} [label={_label(name, layers)}{paint}];")
    small = f'shape=ellipse, height=0.2, width=0.2, margin="0.04,0.02", fontsize=9, fontcolor="{theme.muted}"'
    lines += [f'  {clean_graphviz(name)} [label="{word}", {small}];' for name, word in wired.joints.items()]
    lines += [f"  {clean_graphviz(a)} -> {clean_graphviz(b)};" for a, b in wired.edges]
    return "\n".join([*lines, "}"])


def _label(name: str, layers: LayerTable) -> str:
    """The name, and below it shape and number of weights, where the layer has some."""
    layer = next((layer for layer in layers if layer.name == name and layer.prunable), None)
    if layer is None:
        return clean_graphviz(name)
    about = f"{' × '.join(map(str, layer.shape))} · {layer.n_weights:,}"
    return f'{clean_graphviz(name)[:-1]}\\n{about}"'


def _roles(group: PruningGroup | None, parameter: dict[str, str]) -> dict[str, str]:
    """What each layer is to a group: its rows are scored, or its columns read it."""
    if group is None:
        return {}
    readers = {
        parameter[p.parameter]: "consumes" for p in group.parts if p.role == "consumes" and p.parameter in parameter
    }
    return readers | dict.fromkeys(group.layers, "scored")
