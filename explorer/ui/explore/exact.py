"""A line set by number: the same threshold as a value, a multiple of sigma, or a percentile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from explorer.pruning.allocation import PerLayer, Threshold
from explorer.pruning.allocation.threshold import threshold_forms
from explorer.pruning.bounds import is_locked
from explorer.types import Plan, Scores
from explorer.ui.explore import list_pages
from explorer.ui.shell import cache
from explorer.workbench.lines import common_line
from explorer.workbench.moves import short_share

if TYPE_CHECKING:
    from explorer.workbench.workspace import Workspace

_ALL = "all lines"
_BEGUN = "_exact_begun"
_UNITS = {"absolute": "value", "std": "× standard deviation", "percentile": "percentile"}


def popover(work: Workspace, scores: Scores, plan: Plan) -> None:
    """Set one line, or all of them, by number; shows where it stands in all three units."""
    movable = [k for k in plan.groups if k.group.why_not is None]
    if not movable:
        return
    with st.popover("Exact", help="Set a line by number."):
        shown = {group.name for group in list_pages.present(cache.listed(scores.groups))}
        lines = [_ALL, *(k.group.name for k in movable if k.group.name in shown)]
        if st.session_state.get("exact_line", _ALL) not in lines:
            st.session_state["exact_line"] = _ALL  # of a long list only the page that is shown is offered
        name = st.selectbox("Line", lines, key="exact_line")
        unit = st.selectbox("Unit", list(_UNITS), format_func=_UNITS.__getitem__, key="exact_unit")
        _begin(name, unit, work, scores, plan)
        if name != _ALL:
            st.caption(_now(scores, name, next(k.n_pruned for k in movable if k.group.name == name)))
        top = 100.0 if unit == "percentile" else None
        st.number_input("Scores below this go", 0.0, top, format="%.6g", step=None, key="exact_value")
        st.button("Set", icon=":material/check:", key="exact_set", on_click=_set, args=(work, scores, plan))


def _begin(name: str, unit: str, work: Workspace, scores: Scores, plan: Plan) -> None:
    """The field opens at where the line stands; a number that says the same of the setting stays as it was typed."""
    of = (name, unit, plan.digest)
    if st.session_state.get(_BEGUN) == of:
        return
    st.session_state[_BEGUN] = of
    counts = {k.group.name: k.n_pruned for k in plan.groups if k.group.why_not is None and not k.locked}
    names = list(counts) if name == _ALL else [name]
    typed = Threshold(st.session_state.get("exact_value") or 0.0, unit)
    asked = (one for one in names if one in counts)
    # One after the other: of very many lines the first that differs tells.
    if not any(counts.values()) or any(_n_below(typed, scores, one) != counts[one] for one in asked):
        st.session_state["exact_value"] = _standing(name, unit, work, scores, plan)


def _n_below(line: Threshold, scores: Scores, name: str) -> int:
    return line.wanted(replace(scores, values={name: scores.values[name]}), {})[name]


def _standing(name: str, unit: str, work: Workspace, scores: Scores, plan: Plan) -> float:
    """Where one line stands in a unit, or all of them where one value was asked for; else 0."""
    if name != _ALL:
        n = next(k.n_pruned for k in plan.groups if k.group.name == name)
        return threshold_forms(scores, name, n)[unit]
    allocation = work.spec.allocation
    if isinstance(allocation, Threshold) and allocation.unit == unit:
        return allocation.value
    return (common_line(work.spec, scores, plan) or 0.0) if unit == "absolute" else 0.0


def _now(scores: Scores, name: str, n: int) -> str:
    """Where the line stands in all three units."""
    forms = threshold_forms(scores, name, n)
    return (
        f"Lowest score that stays: {forms['absolute']:.5g} = {forms['std']:.3g} × standard deviation "
        f"= percentile {forms['percentile']:.4g}; {n:,} go."
    )


def _set(work: Workspace, scores: Scores, plan: Plan) -> None:
    # What stands in the fields now: the button may be pressed before a number typed last was drawn again.
    name, unit, value = (st.session_state[key] for key in ("exact_line", "exact_unit", "exact_value"))
    line = Threshold(value, unit)
    if name == _ALL:
        work.set(replace(work.spec, allocation=line))
        return
    bounds = {k.group.name: k for k in plan.groups if not is_locked(k.group, work.spec) and k.group.why_not is None}
    shares = {other: short_share(k.n_pruned, k.group.n_units) for other, k in bounds.items() if k.n_pruned}
    n_units = len(scores.values[name])
    shares[name] = short_share(line.wanted(scores, {})[name], n_units)
    work.set(replace(work.spec, allocation=PerLayer(0.0, tuple(sorted(shares.items())))))
