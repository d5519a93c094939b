"""Skip small activations: a card that measures how many can go, and what that costs."""

from __future__ import annotations

import streamlit as st

from explorer.charts.activations import skipped_activations
from explorer.engine.jobs import Job
from explorer.errors import Refusal
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.activation_threshold import ActivationPoint, why_not
from explorer.tasks.activations import ActivationRequest
from explorer.text.delta import delta_text
from explorer.text.names import clean_markdown
from explorer.text.numbers import percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import running, session, tasks
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, progress
from explorer.ui.widgets.persistent_widget import remembered

_REFUSED = "_skip_why_not"
_BUDGET = 0.01


def card(model: LoadedModel, dataset: Dataset) -> bool:
    """The share of zero activations against accuracy, on request; True while it is measured."""
    st.header("Skip small activations", anchor=False)
    reason = str(_why_not(model) or "") or dataset.why_no_split.get("fit")
    if reason or "fit" not in dataset.splits:
        st.caption(clean_markdown(reason or "There is no fit split to find thresholds on.", 300))
        return False
    request = ActivationRequest(_spec(model, dataset))
    job = tasks.find(model, dataset, request)
    if (job is None or job.state in ("cancelled", "failed")) and st.button(
        "Measure", icon=":material/filter_alt:", key="skip_start"
    ):
        tasks.submit(model, dataset, request)
        st.rerun()
    if job is None:
        st.caption(
            "Pruning that depends on the input: after each ReLU or GELU, values near zero are left out while the "
            "network runs. One share for every layer, with thresholds from 256 fit samples; weights stay as they are."
        )
        return False
    _outcome(job)
    return running.unfinished(job)


def _why_not(model: LoadedModel) -> Refusal | None:
    """Asking runs the network once: once a model is enough."""
    asked = st.session_state.get(_REFUSED)
    if asked is None or asked[0] != model.identity:
        asked = st.session_state[_REFUSED] = (model.identity, why_not(model))
    refusal: Refusal | None = asked[1]
    return refusal


def _spec(model: LoadedModel, dataset: Dataset) -> PruneSpec:
    """The setting on Explore, if it is asked for and prunes anything; else the one that prunes nothing."""
    changed = remembered("skip_pruned", False)
    text = "Thresholds and accuracy of the network with the lines as they are on Explore."
    if not st.toggle("On the network as pruned on Explore", key="skip_pruned", on_change=changed, help=text):
        return PruneSpec()
    scores = session.scores(model, dataset)  # may put another criterion in place of one that sees nothing
    spec = session.workspace().spec
    return spec if make_plan(model, spec, scores).n_pruned else PruneSpec()


def _outcome(job: Job) -> None:
    progress.card(job, "measurement")
    if not job.results:
        return
    measured: list[ActivationPoint] = list(job.results)
    chart.draw(skipped_activations(measured, theme=chart_theme()), "skip_chart")
    # The most that goes at a loss of at most a point; share 0 loses nothing.
    most = max((p for p in measured if p.drop.value <= _BUDGET), key=lambda p: p.skipped.value, default=measured[0])
    st.caption(
        f"{percent(most.already_zero.value)} are zero anyway. With at most 1 point of loss "
        f"{percent(most.skipped.value)} are zero ({delta_text(most.drop)}). Time changes only in kernels that "
        "skip zeros; the ones used here do not."
    )
