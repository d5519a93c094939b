"""The structure page: which units go together, and why."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explorer.charts.structure import widths
from explorer.errors import ExplorerError
from explorer.pruning.coupling.branches import BLOCKS
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean, clean_markdown
from explorer.types import Dataset, LoadedModel, PruningGroup, Scores
from explorer.types.aliases import JsonDict
from explorer.ui.shell import cache, session
from explorer.ui.shell.theme import chart_theme
from explorer.ui.structure import graph
from explorer.ui.widgets import chart, not_here

_ROLES = {"scored": "Loses rows", "follows": "Goes with it", "consumes": "Loses input columns"}
_MOST_NAMES = 24
_MANY = 5  # more groups than these have a search
_KEYS = ("out_channel", "head", "mlp_neuron", "hidden_unit", "layer", "depth")


def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """A table of what is coupled, a graph, and the parts of the chosen unit in words."""
    session.show_notices()
    with st.container(border=True, key="structure_card"):
        key = _unit(model)
        scores = _scores(model, key)
        movable = [k for k in scores.groups if k.why_not is None]
        st.caption(
            "Units that are coupled shrink together: one threshold moves them all. Choose a group: everything that "
            "loses something with it lights up."
        )
    left, right = st.columns([1.15, 1], gap="medium")
    with left, st.container(border=True, key="coupled_card"):
        chosen = _table(scores, key)
        group = next((k for k in movable if k.name == chosen), None)
        _parts(group, scores.groups, chosen)
    with right, st.container(border=True, key="graph_card"):
        _graph(model, scores, group, _kept(key))
    _present(model, dataset)


def _present(model: LoadedModel, dataset: Dataset | None) -> None:
    """What the present setting leaves of each group: units before and after."""
    spec = session.workspace().spec
    with st.container(border=True, key="widths_card"):
        st.header("The present setting, before and after", anchor=False)
        try:
            plan = make_plan(model, spec, session.scores(model, dataset))
        except ExplorerError as error:
            st.caption(f":material/block: {clean_markdown(error.what, 200)} {clean_markdown(error.why, 300)}")
            return
        gone, of = plan.units
        unit = f"{plan.unit}s"
        st.caption(
            f"{gone:,} of {of:,} {unit} go, as set on Explore." if gone else f"No {unit} go: nothing is set yet."
        )
        chart.draw(widths(plan, theme=chart_theme()), "structure_widths")


def _unit(model: LoadedModel) -> str:
    """The chosen unit, of those that this network has and the present one; the others are named with the reason."""
    every = [key for key in _KEYS if key in GRANULARITIES.members]
    present = session.workspace().spec.granularity.key
    refused = not_here.refused_units(model, [key for key in every if key != present])
    keys = [key for key in every if key not in refused] or every
    reasons: dict[str, list[str]] = {}
    for unit, why in refused.items():
        reasons.setdefault(why, []).append(not_here.unit_label(unit))
    with st.container(horizontal=True, vertical_alignment="center", key="structure_head"):
        key = st.segmented_control(
            "Units",
            keys,
            default=present if present in keys else keys[0],
            key="structure_unit",
            format_func=not_here.unit_label,
            label_visibility="collapsed",
            required=True,
        )
        not_here.draw(reasons, "structure_refused", verb="removed")
    return key or keys[0]


def _scores(model: LoadedModel, key: str) -> Scores:
    work = session.workspace()
    spec = work.spec if work.spec.granularity.key == key else PruneSpec(GRANULARITIES.get(key))
    return cache.scores(model, PruneSpec(spec.granularity), None)


def _kept(unit: str) -> str:
    """Where the session holds the group that is chosen among these units."""
    return f"_coupled_{unit}"


def _table(scores: Scores, unit: str) -> str | None:
    """All lines, those that can move first; the name of the chosen one."""
    st.header("Coupled layers", anchor=False)
    groups = sorted(scores.groups, key=lambda k: k.why_not is not None)
    if not groups:
        st.caption("This model has no layer that could be pruned.")
        return None
    rows = [
        {
            "line": clean(k.name),
            "units": f"{k.n_units:,}" if k.why_not is None else "–",
            "why": clean(k.why_not, 300) if k.why_not else _why(k) or "not tied to others",
            "layers": ", ".join(clean(name, 40) for name in k.layers),
        }
        for k in groups
    ]
    key, kept = f"coupled_{unit}", _kept(unit)
    at = next((i for i, k in enumerate(groups) if k.name == st.session_state.get(kept)), 0)
    if len(groups) > _MANY:
        _find([k.name for k in groups], at, f"find_{unit}", kept)
    st.session_state[key] = {"selection": {"rows": [at]}}
    st.dataframe(
        rows,
        hide_index=True,
        key=key,
        on_select=lambda: _picked(key, kept, groups),
        selection_mode="single-row",
        height=min(430, 38 + 35 * len(rows)),
        column_config=_COLUMNS,
    )
    return groups[at].name


def _find(names: list[str], at: int, key: str, kept: str) -> None:
    """A box that finds a group by a part of its name."""
    st.session_state[key] = names[at]

    def take() -> None:
        st.session_state[kept] = st.session_state[key]

    st.selectbox("Find a group", names, key=key, format_func=lambda name: clean(name, 60), on_change=take)


def _picked(key: str, kept: str, groups: list[PruningGroup]) -> None:
    """The row that was clicked; a click on the chosen one leaves it chosen."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(groups):
        st.session_state[kept] = groups[rows[0]].name


def _parts(group: PruningGroup | None, groups: Sequence[PruningGroup], chosen: str | None) -> None:
    if group is None:
        if not any(k.why_not is None for k in groups):
            st.header("Nothing of this model can shrink in these units", anchor=False)
        why = next((k.why_not for k in groups if k.name == chosen), None)
        if chosen and why:
            st.markdown(f"**{clean_markdown(chosen)}** · stays as it is")
            st.caption(clean_markdown(why, 300))
        return
    st.markdown(f"**{clean_markdown(group.name)}** · {group.n_units:,} {group.unit}{'s' * (group.n_units != 1)}")
    if group.unit in BLOCKS:
        _blocks(group)
        return
    why = _why(group)
    st.caption(f"Tied because: {clean_markdown(why, 300)}." if why else "Tied to no other layer's rows.")
    for role, words in _ROLES.items():
        _names(words, [p.parameter for p in group.parts if p.role == role])


def _why(group: PruningGroup) -> str:
    """Why the units of a line go together, in words; empty where each is a row of one layer."""
    reasons = "; ".join(group.coupled_by)
    if group.unit == "hidden unit" and not reasons:
        return "one recurrent layer: its gates, steps and stacked layers share one width"
    return "each block is one unit" if group.unit in BLOCKS else reasons


def _blocks(group: PruningGroup) -> None:
    """The units of this line are whole blocks: which weights each of them is."""
    st.caption("All blocks share one threshold. A block goes as a whole, and its shortcut is left.")
    for unit in range(group.n_units):
        own = [p.parameter for p in group.parts if p.role == "scored" and int(p.units[0]) == unit]
        _names(f"`{clean(group.unit_names[unit], 60)}`", own)


def _names(words: str, parameters: list[str]) -> None:
    listed = [f"`{clean(name, 60).replace('`', '')}`" for name in dict.fromkeys(parameters)]
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    if listed:
        st.markdown(f"{words}: " + ", ".join(listed[:_MOST_NAMES]) + more)


def _graph(model: LoadedModel, scores: Scores, group: PruningGroup | None, slot: str) -> None:
    st.header("Reads from", anchor=False)
    clicked = graph.draw(model, scores, group, partial(_clicked, scores.groups, slot))
    if not cache.wires(model).edges:
        return
    if group is None:
        lit = "Nothing is lit: no unit of the chosen group can go."
    elif group.unit in BLOCKS:
        lit = "Indigo: inside a block that can go."
    else:
        lit = "Indigo: loses rows. Orange: reads them and loses input columns."
    st.caption(f"{lit} Click a layer to choose its group; drag to move, Ctrl and the wheel to zoom.")
    if clicked and not any(clicked in k.layers for k in scores.groups):
        st.caption(f"`{clean(clicked, 60)}` loses no rows in these units.")


def _clicked(groups: Sequence[PruningGroup], slot: str, layer: str) -> None:
    """Choose the group that a clicked layer loses its rows with."""
    group = next((k for k in groups if layer in k.layers), None)
    if group is not None:
        st.session_state[slot] = group.name


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "line": _COLUMN.TextColumn("Group", width=150, pinned=True),
    "units": _COLUMN.TextColumn("Units", width=60, alignment="right"),
    "why": _COLUMN.TextColumn("Why tied, or why fixed", width=190),
    "layers": _COLUMN.TextColumn("Layers that lose rows", width=300),
}
