"""The controls above the lines: unit, criterion, presets."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import streamlit as st

from explorer.params import Registry, params_of
from explorer.pruning import allocation
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.types import Plan, Scores
from explorer.ui import exact
from explorer.ui.workspace import Workspace

_NEAR = ("weight", "out_channel")
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
    """Weights and channels side by side; the rarer units behind a button, each with what it means."""
    keys = [cast(Any, m).key for m in GRANULARITIES]
    present = work.spec.granularity.key
    near = [key for key in keys if key in _NEAR or key == present]
    st.session_state["unit"] = present
    st.segmented_control(
        "Unit",
        near,
        key="unit",
        format_func=_unit_label,
        label_visibility="collapsed",
        help="What one line removes: single weights, or whole channels with everything tied to them.",
        on_change=lambda: _switch(work, "granularity", GRANULARITIES, "unit"),
    )
    with st.popover("Units", help="What is one unit?"):
        st.session_state["unit_all"] = present
        st.radio(
            "What one line removes",
            keys,
            key="unit_all",
            format_func=_unit_label,
            captions=[_first_line(GRANULARITIES.member(key)) for key in keys],
            on_change=lambda: _switch(work, "granularity", GRANULARITIES, "unit_all"),
        )
        _fields(work, "granularity")


def _unit_label(key: str) -> str:
    return str(cast(Any, GRANULARITIES.member(key)).label)


def _first_line(member: type[Any]) -> str:
    return (member.__doc__ or "").split("\n")[0]


def _fields(work: Workspace, part: str) -> None:
    """A number or a choice for each parameter of the present granularity or criterion."""
    member: Any = getattr(work.spec, part)
    for p in params_of(member):
        key = f"{part}_{member.key}_{p.name}"
        st.session_state[key] = getattr(member, p.name)
        changed = partial(_set_param, work, part, p.name, key)
        if p.choices:
            st.selectbox(p.label, p.choices, key=key, help=p.help or None, on_change=changed)
        elif isinstance(p.default, float):
            st.number_input(p.label, p.low, p.high, step=0.5, key=key, help=p.help or None, on_change=changed)
        else:
            low, high = (None if end is None else int(end) for end in (p.low, p.high))
            st.number_input(p.label, low, high, step=1, key=key, help=p.help or None, on_change=changed)


def _criterion(work: Workspace) -> None:
    with st.popover(work.spec.criterion.label, help="How important is a unit?"):
        keys = [cast(Any, m).key for m in CRITERIA]
        st.session_state["criterion"] = work.spec.criterion.key
        st.radio(
            "Criterion",
            keys,
            key="criterion",
            format_func=lambda key: cast(Any, CRITERIA.member(key)).label,
            captions=[_first_line(CRITERIA.member(key)) for key in keys],
            on_change=lambda: _switch(work, "criterion", CRITERIA, "criterion"),
        )
        _fields(work, "criterion")


def _switch(work: Workspace, part: str, registry: Registry[Any], widget: str) -> None:
    key = st.session_state[widget]
    if key is None or key == getattr(work.spec, part).key:
        return
    changes: dict[str, Any] = {part: registry.get(key)}
    if part == "granularity":
        # Lines and limits name the units of the old kind: start anew.
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))


def _set_param(work: Workspace, part: str, field: str, widget: str) -> None:
    member: Any = replace(cast(Any, getattr(work.spec, part)), **{field: st.session_state[widget]})
    changes: dict[str, Any] = {part: member}
    if part == "granularity":
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))


def _preset(work: Workspace, share: float) -> None:
    """One ranking over all layers, or the same share of each, as the lines move now."""
    key = "uniform" if work.mode == "share" else "global"
    work.set(replace(work.spec, allocation=allocation.get(key, sparsity=share)))
