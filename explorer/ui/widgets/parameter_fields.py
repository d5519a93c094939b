"""A widget for each parameter of a member: what its declaration says becomes a slider, a number or a choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal, cast

import streamlit as st

from explorer.params import Param, params_of
from explorer.pruning import allocation
from explorer.types.aliases import JsonDict
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.workbench.workspace import Workspace


def draw(work: Workspace, part: str) -> None:
    """A number or a choice for each parameter of the present granularity or criterion."""
    member: Any = getattr(work.spec, part)
    for p in params_of(member):
        name = f"{part}_{member.key}_{p.name}"
        draw_one(p, **mirrored(name, getattr(member, p.name), partial(_set, work, part, p.name)))


def draw_one(
    p: Param,
    *,
    key: str,
    on_change: Callable[[], None],
    width: int | Literal["stretch"] = "stretch",
    step: float | None = None,
    value: object = None,
) -> None:
    """The widget of one parameter, as its declaration says; ``step`` is what a press of a button changes.

    ``value`` is its own default; None where the session says what it shows.
    """
    options: JsonDict = {"key": key, "on_change": on_change, "help": p.help or None}
    if p.choices:
        st.selectbox(p.label, p.choices, p.choices.index(value) if value in p.choices else 0, width=width, **options)
    elif isinstance(p.default, bool):
        st.toggle(p.label, bool(value), **options)
    elif isinstance(p.default, float):
        form, step = "%.2f" if p.default >= 1 else "%g", step or _step(p)
        st.number_input(p.label, step=step, format=form, width=width, **_numbers(p, value), **options)
    else:
        st.number_input(p.label, step=1, width=width, **_numbers(p, value), **options)


def _numbers(p: Param, value: object) -> JsonDict:
    """Both ends and the value as what the parameter counts in; without a value the widget's own beginning."""
    numbers = {"min_value": p.low, "max_value": p.high, "value": value}
    counted = {name: type(p.default)(number) for name, number in numbers.items() if number is not None}
    return {"value": "min"} | counted


def _step(p: Param) -> float:
    """What one press of a button changes: a twentieth, less where the usual value is smaller."""
    if p.default >= 1:
        return 0.5
    if p.default:
        return min(float(p.default), 0.05)
    return 1.0 if p.high is not None and p.high > 1 else 0.01


def _set(work: Workspace, part: str, field: str, value: object) -> None:
    if value is None:
        return
    member: Any = replace(cast(Any, getattr(work.spec, part)), **{field: value})
    changes: JsonDict = {part: member}
    if part == "granularity":
        # Lines and limits name the units of the old kind: start anew.
        changes |= {"allocation": allocation.get("global"), "limits": ()}
    work.set(replace(work.spec, **changes))
