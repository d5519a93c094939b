"""The controls above the lines: unit, criterion, presets."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import streamlit as st

from explorer.pruning.granularity import GRANULARITIES
from explorer.text.numbers import percent_asked
from explorer.types import Dataset, LoadedModel, Plan, Scores
from explorer.ui.explore import exact
from explorer.ui.widgets import criterion_picker, parameter_fields
from explorer.ui.widgets.controlled_widget import mirrored
from explorer.workbench.choices import PRESETS, single_weights_after, with_preset, with_unit
from explorer.workbench.workspace import Workspace

_NEAR = ("weight", "out_channel")


def bar(work: Workspace, model: LoadedModel, dataset: Dataset | None, scores: Scores, plan: Plan) -> None:
    """Draw the controls; a change is taken before anything below is drawn."""
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        _unit(work)
        criterion_picker.popover(work, model, dataset, scores)
        # They wrap together: where the name of a criterion is long, none of them stays behind alone.
        with st.container(horizontal=True, width="content", key="presets"):
            for share in PRESETS:
                unpruned = "As opened" if plan.n_already_zero else "Dense"
                label = unpruned if share == 0 else percent_asked(share)
                help_text = "Nothing pruned." if share == 0 else "This share of all unlocked units goes."
                st.button(label, key=f"preset_{share}", help=help_text, on_click=_preset, args=(work, share))
            exact.popover(work, scores, plan)


def _unit(work: Workspace) -> None:
    """Weights and channels side by side; the rarer units behind a button, each with what it means."""
    keys = [cast(Any, m).key for m in GRANULARITIES]
    present = work.spec.granularity.key
    near = [key for key in keys if key in _NEAR or key == present]
    st.segmented_control(
        "Unit",
        near,
        format_func=_unit_label,
        label_visibility="collapsed",
        help="What one line removes: single weights, or whole channels with everything tied to them.",
        **mirrored("unit", present, partial(_switch, work), given_as="default"),
    )
    label = "Units" if work.spec.then is None else f"Units, then {percent_asked(_then_share(work))} of the weights left"
    with st.popover(label, help="What is one unit?", key="units"):
        _single_weights_after(work)
        st.radio(
            "What one line removes",
            keys,
            format_func=_unit_label,
            captions=[criterion_picker.first_line(GRANULARITIES.member(key)) for key in keys],
            **mirrored("unit_all", present, partial(_switch, work), among=keys),
        )
        parameter_fields.draw(work, "granularity")


def _single_weights_after(work: Workspace) -> None:
    """The second setting of whole units: a share of the single weights that they leave."""
    if work.spec.granularity.key == "weight":
        st.caption("Choose whole units, and single weights of what they leave can go after them.")
        return
    st.number_input(
        "Then single weights, % of those left",
        0.0,
        99.9,
        step=5.0,
        format="%g",
        help="By magnitude over all layers, after the units went. The smaller network stores them as zeros.",
        **mirrored("then_share", round(100 * _then_share(work), 6), partial(_then, work)),
    )


def _then_share(work: Workspace) -> float:
    then = work.spec.then
    return 0.0 if then is None else float(getattr(then.allocation, "sparsity", 0.0))


def _then(work: Workspace, percentage: float | None) -> None:
    if percentage is not None:
        work.set(single_weights_after(work.spec, percentage / 100))


def _unit_label(key: str) -> str:
    return str(cast(Any, GRANULARITIES.member(key)).label)


def _switch(work: Workspace, key: str | None) -> None:
    if key is not None and key != work.spec.granularity.key:
        work.set(with_unit(work.spec, key))


def _preset(work: Workspace, share: float) -> None:
    """Global, or uniform, as the thresholds move now."""
    work.set(with_preset(work.spec, share, work.mode))
