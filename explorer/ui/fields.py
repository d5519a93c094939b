"""A widget for each parameter of a member: what its declaration says becomes a slider, a number or a choice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import streamlit as st

from explorer.params import params_of
from explorer.pruning import allocation
from explorer.ui.workspace import Workspace


def draw(work: Workspace, part: str) -> None:
    """A number or a choice for each parameter of the present granularity or criterion."""
    member: Any = getattr(work.spec, part)
    for p in params_of(member):
        key = f"{part}_{member.key}_{p.name}"
        st.session_state[key] = getattr(member, p.name)
        changed = partial(_set, work, part, p.name, key)
        if p.choices:
            st.selectbox(p.label, p.choices, key=key, help=p.help or None, on_change=changed)
        elif isinstance(p.default, bool):
            st.toggle(p.label, key=key, help=p.help or None, on_change=changed)
        elif isinstance(p.default, float):
            step, form = (0.5, "%.2f") if p.default >= 1 else (p.default or 0.01, "%g")
            st.number_input(
                p.label, p.low, p.high, step=step, format=form, key=key, help=p.help or None, on_change=changed
            )
        else:
            low, high = (None if end is None else int(end) for end in (p.low, p.high))
            st.number_input(p.label, low, high, step=1, key=key, help=p.help or None, on_change=changed)


def _set(work: Workspace, part: str, field: str, widget: str) -> None:
    if st.session_state[widget] is None:
        return
    member: Any = replace(cast(Any, getattr(work.spec, part)), **{field: st.session_state[widget]})
    changes: dict[str, Any] = {part: member}
    if part == "granularity":
        # Lines and limits name the units of the old kind: start anew.
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))
