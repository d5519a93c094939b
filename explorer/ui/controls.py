"""The controls above the lines: unit, criterion, presets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import streamlit as st

from explorer.params import Registry, params_of
from explorer.pruning import allocation
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.types import Plan, Scores
from explorer.ui import exact
from explorer.ui.workspace import Workspace

PRESETS = (0.0, 0.5, 0.8, 0.9)


def bar(work: Workspace, scores: Scores, plan: Plan) -> None:
    """Draw the controls; a change is taken before anything below is drawn."""
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        _unit(work)
        _criterion(work)
        for share in PRESETS:
            label = "Dense" if share == 0 else f"{100 * share:g}%"
            help_text = "Nothing pruned." if share == 0 else "This share of all unlocked units goes."
            st.button(label, key=f"preset_{share}", help=help_text, on_click=_preset, args=(work, share))
        exact.popover(work, scores, plan)


def _unit(work: Workspace) -> None:
    keys = [cast(Any, m).key for m in GRANULARITIES]
    st.session_state["unit"] = work.spec.granularity.key
    st.segmented_control(
        "Unit",
        keys,
        key="unit",
        format_func=lambda key: cast(Any, GRANULARITIES.member(key)).label,
        label_visibility="collapsed",
        help="What one line removes: single weights, or whole channels with everything tied to them.",
        on_change=lambda: _switch(work, "granularity", GRANULARITIES),
    )


def _criterion(work: Workspace) -> None:
    with st.popover(work.spec.criterion.label, icon=":material/straighten:", help="How important is a unit?"):
        keys = [cast(Any, m).key for m in CRITERIA]
        st.session_state["criterion"] = work.spec.criterion.key
        st.radio(
            "Criterion",
            keys,
            key="criterion",
            format_func=lambda key: cast(Any, CRITERIA.member(key)).label,
            captions=[(CRITERIA.member(key).__doc__ or "").split("\n")[0] for key in keys],
            on_change=lambda: _switch(work, "criterion", CRITERIA),
        )
        for p in params_of(work.spec.criterion):
            name = f"criterion_{p.name}"
            st.session_state[name] = getattr(work.spec.criterion, p.name)
            st.number_input(
                p.label,
                p.low if isinstance(p.default, float) else int(p.low or 0),
                p.high if isinstance(p.default, float) else int(p.high or 0),
                step=0.5 if isinstance(p.default, float) else 1,
                key=name,
                help=p.help or None,
                on_change=lambda field=p.name, key=name: _set_param(work, field, key),
            )


def _switch(work: Workspace, part: str, registry: Registry[Any]) -> None:
    key = st.session_state["unit" if part == "granularity" else "criterion"]
    if key is None:
        return
    changes: dict[str, Any] = {part: registry.get(key)}
    if part == "granularity":
        # Lines and limits name the units of the old kind: start anew.
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))


def _set_param(work: Workspace, field: str, key: str) -> None:
    criterion: Any = replace(cast(Any, work.spec.criterion), **{field: st.session_state[key]})
    work.set(replace(work.spec, criterion=criterion))


def _preset(work: Workspace, share: float) -> None:
    """One ranking over all layers, or the same share of each, as the lines move now."""
    key = "uniform" if work.mode == "share" else "global"
    work.set(replace(work.spec, allocation=allocation.get(key, sparsity=share)))
