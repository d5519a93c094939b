"""What reads what, as a graph: everything that shrinks with the chosen group is lit; a click on a box chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from explorer.charts.layered import GraphLayout, Point, layered
from explorer.component import graph_js, graph_part, parse_node
from explorer.component.graph import Box, Role
from explorer.errors import ExplorerError
from explorer.pruning.coupling.wiring import Wiring
from explorer.text.names import clean, file_stem
from explorer.types import LayerTable, LoadedModel, PruningGroup, Scores
from explorer.ui.shell import cache, session

_KEY = "structure_graph"
# Pixels of a letter of the name and of the line below it, and of a box around them.
_LETTER, _SMALL, _AROUND = 6.7, 5.5, 18.0
_HIGH, _LOW, _JOINT = 38.0, 26.0, (26.0, 20.0)
_LONGEST = 48
_LIT: dict[Role, str] = {"scored": ", loses rows", "consumes": ", loses input columns"}


def draw(model: LoadedModel, scores: Scores, group: PruningGroup | None, on_pick: Callable[[str], None]) -> str:
    """Draw the graph; ``on_pick`` is told which layer is clicked. Returns the one that was clicked last, or ""."""
    wired = cache.wires(model)
    if not wired.edges:
        st.caption("This network could not be traced, so it is not known which layer reads which.")
        return ""
    boxes = boxes_of(scores.groups, scores.layers, group, wired)
    sizes = {box.name: size_of(box) for box in boxes}
    layout = _layout(tuple(sizes.items()), wired.edges)
    clicked = str(st.session_state.get(f"{_KEY}_clicked", ""))
    clicked = clicked if clicked in sizes else ""
    words = f"Which layer reads which: {len(boxes) - len(wired.joints)} layers"
    part = graph_part(
        boxes,
        sizes,
        layout.places,
        layout.paths,
        chosen=clicked,
        words=words,
        file=f"{file_stem(model.address)}-structure.svg",
    )

    def pick() -> None:
        try:
            name = parse_node(st.session_state[_KEY].get("node"), sizes)
        except ExplorerError as error:
            session.notify(error)
            return
        if name is not None:
            st.session_state[f"{_KEY}_clicked"] = name
            on_pick(name)

    component = st.components.v2.component("pruning_explorer.graph", js=graph_js())
    component(key=_KEY, data=part, on_node_change=pick, height="content")
    return clicked


@st.cache_data(max_entries=32, show_spinner=False)
def _layout(sizes: tuple[tuple[str, Point], ...], edges: tuple[tuple[str, str], ...]) -> GraphLayout:
    return layered(dict(sizes), edges)


def boxes_of(
    groups: Sequence[PruningGroup], layers: LayerTable, chosen: PruningGroup | None, wired: Wiring
) -> list[Box]:
    """A box for each layer, with the shape of its weights and how many they are, and a small one where outputs meet."""
    ends = [name for edge in wired.edges for name in edge]
    names = dict.fromkeys([*ends, *(name for group in groups for name in group.layers)])
    role_of = _roles(chosen, {layer.parameter: layer.name for layer in layers})
    about = {layer.name: layer for layer in layers if layer.prunable}
    boxes = []
    for name in names:
        if name in wired.joints:
            boxes.append(Box(name, wired.joints[name], is_joint=True))
            continue
        role, label = role_of.get(name, ""), clean(name, _LONGEST)
        line = f"{' × '.join(map(str, about[name].shape))} · {about[name].n_weights:,}" if name in about else ""
        boxes.append(
            Box(name, label, line, role, words=f"{label}{f', {line} weights' * bool(line)}{_LIT.get(role, '')}")
        )
    return boxes


def size_of(box: Box) -> Point:
    """Width and height in pixels."""
    if box.is_joint:
        return (max(_JOINT[0], len(box.label) * _LETTER + 12), _JOINT[1])
    width = max(len(box.label) * _LETTER, len(box.about) * _SMALL)
    return (round(width + _AROUND, 1), _HIGH if box.about else _LOW)


def _roles(group: PruningGroup | None, layer_of: Mapping[str, str]) -> dict[str, Role]:
    """What each layer is to a group: its rows are scored, or its columns read it."""
    if group is None:
        return {}
    readers: dict[str, Role] = {
        layer_of[p.parameter]: "consumes" for p in group.parts if p.role == "consumes" and p.parameter in layer_of
    }
    return readers | dict.fromkeys(group.layers, "scored")
