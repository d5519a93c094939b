"""The check page: what is checked and how strictly, the verdict, and what is behind it."""

from __future__ import annotations

import streamlit as st

from explorer.analysis.check.base import Outcome
from explorer.analysis.check.result import Check
from explorer.analysis.check.statistics import smallest_margin
from explorer.engine.jobs import Job
from explorer.export.naming import export_name
from explorer.text.names import clean_markdown
from explorer.text.numbers import points_apart
from explorer.types import Dataset, LoadedModel
from explorer.ui.check import blame, choices, verdict
from explorer.ui.shell import running, session, tasks, ticker
from explorer.ui.widgets import measured_page, progress

_LATER_MS = 500
_USUAL_CHANGES = 0.02
_ABOUT = (
    "A check holds the candidate against the dense model on the same samples: accuracy within a margin, changed "
    "answers, every class, probabilities, calibration, corrupted pictures, dead parts, other forms, cost and "
    "provenance. Each says pass, warn, fail, cannot tell or does not apply, with its number, interval and limit."
)


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, verdict, table; reruns by itself while a check runs."""
    dataset = measured_page.begun(model, dataset, "No check without a measurement", _ABOUT)
    if dataset is None:
        return
    with st.container(border=True, key="check_card"):
        subject, job = _controls(model, dataset)
    whole = measured_page.finished(job, Check)
    if whole is not None and subject is not None:
        verdict.draw(whole, _stem(whole))
        blame.draw(subject, dataset, whole)
    else:
        _waiting(job)
    if running.is_stale():
        st.rerun()
    if running.unfinished(job):
        ticker.tick("check", _LATER_MS)


def _stem(check: Check) -> str:
    """The beginning of a file name: the candidate, with its setting where it is a request, and the split."""
    settings = [session.workspace().spec] if check.candidate.is_request else []
    return export_name(check.candidate.address, check.split, "check", settings=settings)


def _controls(model: LoadedModel, dataset: Dataset) -> tuple[choices.CheckSubject | None, Job | None]:
    subject = choices.subject(model, dataset)
    policy = choices.policy()
    st.caption(_decidable(dataset))
    if subject is None or policy is None:
        return subject, None
    request = choices.request(subject, policy)
    job = tasks.find(subject.dense, dataset, request, opened=subject.opened)
    with st.container(horizontal=True, vertical_alignment="bottom", key="check_buttons"):
        progress.stop_button([job], "check_stop")
        is_over = job is not None and (job.active or job.state == "done")
        if not is_over and st.button("Check", icon=":material/verified:", type="primary", key="check_start"):
            tasks.submit(subject.dense, dataset, request, opened=subject.opened)
            st.rerun()
    if job is not None:
        progress.card(job, "check", done="")
    return subject, job


def _decidable(dataset: Dataset) -> str:
    n = len(dataset.splits["tune"])
    margin = smallest_margin(_USUAL_CHANGES, n)
    return (
        f"With these {n:,} samples a margin of {points_apart(margin)} can be decided, "
        "where one answer in fifty differs (80 % power)."
    )


def _waiting(job: Job | None) -> None:
    """Before the verdict: what a check is, or what is known so far."""
    outcomes = [result for result in job.results if isinstance(result, Outcome)] if job is not None else []
    with st.container(border=True, key="verdict_card"):
        st.header("The verdict", anchor=False)
        if not outcomes:
            st.caption(_ABOUT)
        for outcome in outcomes:
            st.markdown(f"**{outcome.status}** {clean_markdown(outcome.label)}: {clean_markdown(outcome.why, 400)}")
