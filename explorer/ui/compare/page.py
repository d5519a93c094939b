"""The compare page: which models, their numbers side by side, and what is behind a difference."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.models_compared.result import ComparedModel, ModelsCompared
from explorer.engine.jobs import Job
from explorer.text.names import clean_markdown
from explorer.types import Dataset, LoadedModel
from explorer.ui.compare import choices, details, overview, worse
from explorer.ui.shell import running, tasks, ticker
from explorer.ui.widgets import measured_page, progress

_LATER_MS = 500
_ABOUT = (
    "A comparison runs two to eight models on the same samples and holds each against the first: score and loss with "
    "paired intervals, sparsity, bytes and multiplications, every answer that changed, what each class gains or "
    "loses, which weights are in both, and the layer at which their outputs part."
)


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Choices, table, chart and details; reruns by itself while models are compared."""
    dataset = measured_page.begun(model, dataset, "No comparison without a measurement", _ABOUT)
    if dataset is None:
        return
    with st.container(border=True, key="models_card"):
        chosen, job = _controls(model, dataset)
    whole = measured_page.finished(job, ModelsCompared)
    if whole is not None and chosen is not None:
        overview.draw(whole)
        details.draw(whole, dataset)
        worse.draw(chosen, whole, dataset)
    else:
        _waiting(job)
    if running.is_stale():
        st.rerun()
    if running.unfinished(job):
        ticker.tick("compared", _LATER_MS)


def _controls(model: LoadedModel, dataset: Dataset) -> tuple[choices.Compared | None, Job | None]:
    compared = choices.chosen(model, dataset)
    if compared is None:
        return None, None
    first, request, opened = compared.first, compared.request, compared.opened
    job = tasks.find(first, dataset, request, opened=opened)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compared_buttons"):
        progress.stop_button([job], "compared_stop")
        is_over = job is not None and (job.active or job.state == "done")
        if not is_over and st.button("Compare", icon=":material/compare_arrows:", type="primary", key="compared_start"):
            tasks.submit(first, dataset, request, opened=opened)
            st.rerun()
    if job is not None:
        progress.card(job, "compared", done="")
    return compared, job


def _waiting(job: Job | None) -> None:
    """Before the end: what a comparison is, or which models are measured so far."""
    done = [result for result in job.results if isinstance(result, ComparedModel)] if job is not None else []
    with st.container(border=True, key="side_card"):
        st.header("Side by side", anchor=False)
        if not done:
            st.caption(_ABOUT)
        for model in done:
            st.markdown(f"**{clean_markdown(model.name)}** is measured.")
