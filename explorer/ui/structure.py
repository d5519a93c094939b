"""The structure page: which units go together, and why."""

from __future__ import annotations

import streamlit as st

from explorer.charts.structure import coupling_dot
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.spec import PruneSpec
from explorer.types import Knob, LoadedModel, Scores
from explorer.ui import cache, session
from explorer.ui.text import plain, shown
from explorer.ui.theme import chart_theme

_ROLES = {"scored": "loses rows", "follows": "goes with it", "consumes": "loses input columns"}
_KEYS = ("out_channel", "head", "mlp_neuron", "hidden_unit", "layer")


def page(model: LoadedModel) -> None:
    """A table of what is coupled, a graph, and the parts of the chosen unit in words."""
    session.show_notices()
    with st.container(border=True, key="structure_card"):
        keys = [key for key in _KEYS if key in GRANULARITIES.members]
        present = session.workspace().spec.granularity.key
        key = st.segmented_control(
            "Units", keys, default=present if present in keys else keys[0], key="structure_unit", format_func=_label
        )
        scores = _scores(model, key or keys[0])
        movable = [k for k in scores.knobs if k.why_not is None]
        st.caption(
            "Units that are tied shrink together: one line moves them all. "
            "Choose a line; everything that loses something with it lights up."
        )
    left, right = st.columns([1.15, 1], gap="medium")
    with left, st.container(border=True, key="coupled_card"):
        chosen = _table(scores)
        knob = next((k for k in movable if k.name == chosen), movable[0] if movable else None)
        _parts(knob)
    with right, st.container(border=True, key="graph_card"):
        _graph(scores, knob)


def _label(key: str) -> str:
    return str(getattr(GRANULARITIES.member(key), "label", key))


def _scores(model: LoadedModel, key: str) -> Scores:
    work = session.workspace()
    spec = work.spec if work.spec.granularity.key == key else PruneSpec(GRANULARITIES.get(key))
    return cache.scores(model, PruneSpec(spec.granularity), None)


def _table(scores: Scores) -> str | None:
    st.markdown("**What goes together**")
    rows = [
        {
            "line": shown(k.name),
            "units": k.n_units if k.why_not is None else None,
            "layers": ", ".join(shown(name, 40) for name in k.layers),
            "why": "; ".join(k.coupled_by) if k.why_not is None else shown(k.why_not, 300),
        }
        for k in scores.knobs
    ]
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key="coupled_table",
        on_select="rerun",
        selection_mode="single-row",
        height=min(560, 38 + 35 * max(1, len(rows))),
        column_config={
            "line": st.column_config.TextColumn("Line", width="medium"),
            "units": st.column_config.NumberColumn("Units", width="small"),
            "layers": st.column_config.TextColumn("Layers that lose rows", width="medium"),
            "why": st.column_config.TextColumn("Why tied, or why fixed", width="large"),
        },
    )
    picked = chosen.selection.rows
    return scores.knobs[picked[0]].name if picked and picked[0] < len(scores.knobs) else None


def _parts(knob: Knob | None) -> None:
    if knob is None:
        st.markdown("**Nothing of this model can shrink in these units**")
        st.caption("The table says why for each layer.")
        return
    st.markdown(f"**{plain(knob.name)}** · {knob.n_units:,} {knob.unit}s")
    why = "; ".join(knob.coupled_by)
    st.caption(f"Tied because: {plain(why, 300)}." if why else "Tied to no other layer's rows.")
    for role, words in _ROLES.items():
        names = dict.fromkeys(p.parameter for p in knob.parts if p.role == role)
        if names:
            st.markdown(f"{words}: " + ", ".join(f"`{shown(name, 60).replace('`', '')}`" for name in names))


def _graph(scores: Scores, knob: Knob | None) -> None:
    st.markdown("**Who reads whose output**")
    dot = coupling_dot(scores.knobs, scores.layers, knob.name if knob else None, theme=chart_theme())
    st.graphviz_chart(dot, width="content")
    st.caption("Indigo: loses rows. Orange: reads them and loses input columns.")
