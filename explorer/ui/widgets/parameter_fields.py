"""A widget for each parameter of a member: what its declaration says becomes a slider, a number or a choice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, cast

import streamlit as st

from explorer.params import Param, params_of
from explorer.pruning import allocation
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.workbench.workspace import Workspace


def draw(work: Workspace, part: str) -> None:
    """A number or a choice for each parameter of the present granularity or criterion."""
    member: Any = getattr(work.spec, part)
    for p in params_of(member):
        name = f"{part}_{member.key}_{p.name}"
        draw_one(p, **mirrored(name, getattr(member, p.name), partial(_set, work, part, p.name)))


def draw_one(p: Param, *, step: float | None = None, **widget: Any) -> None:
    """The widget of one parameter; ``widget`` is its key, its ``on_change`` and, where it is set, its width."""
    about = p.help or None
    if p.choices:
        st.selectbox(p.label, p.choices, help=about, **widget)
    elif isinstance(p.default, bool):
        st.toggle(p.label, help=about, **widget)
    elif isinstance(p.default, float):
        form = "%.2f" if p.default >= 1 else "%g"
        st.number_input(p.label, p.low, p.high, step=step or _step(p), format=form, help=about, **widget)
    else:
        low, high = (None if end is None else int(end) for end in (p.low, p.high))
        st.number_input(p.label, low, high, step=1, help=about, **widget)


def _step(p: Param) -> float:
    """What one press of a button changes: a twentieth, less where the usual value is smaller."""
    if p.default >= 1:
        return 0.5
    if p.default:
        return min(float(p.default), 0.05)
    return 1.0 if p.high is not None and p.high > 1 else 0.01


def _set(work: Workspace, part: str, field: str, value: Any) -> None:
    if value is None:
        return
    member: Any = replace(cast(Any, getattr(work.spec, part)), **{field: value})
    changes: dict[str, Any] = {part: member}
    if part == "granularity":
        # Lines and limits name the units of the old kind: start anew.
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))
