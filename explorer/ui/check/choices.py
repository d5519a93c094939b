"""What is checked, and how strictly."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.analysis.check.policy import Policy, given_policy, table_of
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.tasks.check import CheckRequest
from explorer.text.names import clean_markdown, model_name
from explorer.text.numbers import percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.explore.planned import planned
from explorer.ui.shell import session
from explorer.ui.widgets.persistent_widget import remembered

_WHAT = {"setting": "The setting of Explore", "file": "The open model as it is"}
_PAIRS = 30
_EXAMPLE = '[changed]\nmost = 0.1\n\n[corruptions]\nlevel = "off"'
_KEY, _TEXT = "check_what", "check_policy"


@dataclass(frozen=True)
class CheckSubject:
    """What is checked: what ``spec`` leaves of ``dense``, or the open ``candidate``, which was made from it."""

    dense: LoadedModel
    spec: PruneSpec | None = None
    candidate: LoadedModel | None = None

    @property
    def opened(self) -> tuple[LoadedModel, ...]:
        """The models that its request names."""
        return () if self.candidate is None else (self.candidate,)


def subject(model: LoadedModel, dataset: Dataset) -> CheckSubject | None:
    """The choice of what to check; None where the chosen one cannot be, with the reason on the page."""
    parent, why = _parent(model)
    usual = "setting" if parent is None else "file"
    chosen = st.radio(
        "What is checked?", list(_WHAT), key=_KEY, horizontal=True, format_func=_WHAT.__getitem__,
        on_change=remembered(_KEY, usual, list(_WHAT)),
    )  # fmt: skip
    if chosen == "file":
        if parent is None:
            st.caption(f":material/block: {clean_markdown(why, 400)}")
            return None
        st.caption(f"Against {clean_markdown(model_name(parent.address))}, which it was made from.")
        return CheckSubject(parent, candidate=model)
    spec = session.workspace().spec
    plan = planned(model, spec, session.scores(model, dataset)).plan
    pruned = f"{percent(plan.sparsity)} of the weights are zero" if plan.n_pruned else "nothing is pruned yet"
    st.caption(
        f"{clean_markdown(model_name(model.address))}, {spec.granularity.label.lower()} by "
        f"{clean_markdown(spec.criterion.label.lower())}, as on Explore: {pruned}. Against itself without pruning."
    )
    return CheckSubject(model, spec=spec)


def policy() -> Policy | None:
    """The limits; None where they are none, with the reason on the page."""
    margin = st.number_input(
        "Margin of accuracy, points", 0.1, 50.0, step=0.5, key="check_margin", width=230, format="%.1f",
        on_change=remembered("check_margin", 1.0, within=(0.1, 50.0)),
        help="The drop that is still accepted. Every other limit is below.",
    )  # fmt: skip
    with st.expander("Every limit"):
        text = st.text_area(
            "Limits as TOML", key=_TEXT, height=260, placeholder=_EXAMPLE,
            help="What is left out has its default; the level warn only warns, off leaves a check out.",
        )  # fmt: skip
        st.download_button(
            "The whole policy", Policy.of().to_toml(), "policy.toml", key="check_policy_file", on_click="ignore"
        )
    try:
        asked = table_of(text)
        accuracy = asked.get("accuracy", {})
        if isinstance(accuracy, dict):
            asked["accuracy"] = {"margin": round(margin / 100, 6), **accuracy}
        return given_policy(asked)
    except ExplorerError as error:
        st.error(clean_markdown(str(error), 400), icon=":material/error:")
        return None


def request(of: CheckSubject, rules: Policy) -> CheckRequest:
    """The work behind both."""
    timed = st.toggle(
        "Measure time, too", key="check_time", on_change=remembered("check_time", False),
        help="Both models run in turns on this machine; their ratio is held against the policy.",
    )  # fmt: skip
    times = _PAIRS if timed else 0
    if of.candidate is None:
        return CheckRequest(spec=of.spec or PruneSpec(), policy=rules, times=times)
    return CheckRequest(of.candidate.address, policy=rules, times=times)


def _parent(model: LoadedModel) -> tuple[LoadedModel | None, str]:
    try:
        parent = session.parent(model)
    except ExplorerError as error:
        return None, str(error)
    return parent, "" if parent is not None else "The open model does not say what it was made from."
