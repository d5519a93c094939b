"""From a class that loses back to the threshold that is to blame: each pruned layer given back in turn."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.analysis.blame import Blame, hurt_classes
from explorer.analysis.check.result import Check
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.report import blamed
from explorer.tasks.blame import BlameRequest
from explorer.text.names import clean_markdown
from explorer.types import Dataset
from explorer.ui.check.choices import CheckSubject
from explorer.ui.shell import running, session, tasks, ticker
from explorer.ui.widgets import measured_page, progress
from explorer.ui.widgets.persistent_widget import put, remembered

_LATER_MS = 500
_CLASS = "blame_class"


def draw(subject: CheckSubject, dataset: Dataset, check: Check) -> None:
    """The question, the table, and the way to the threshold; nothing where no class loses."""
    hurt = list(hurt_classes(check))
    if not hurt:
        return
    with st.container(border=True, key="blame_card"):
        st.header("Which threshold is to blame?", anchor=False)
        with st.container(horizontal=True, vertical_alignment="bottom", key="blame_controls"):
            of_class = st.selectbox(
                "Class", hurt, key=_CLASS, on_change=remembered(_CLASS, hurt[0], hurt), width=180,
                help="Those that lose, the one that loses most first.",
            )  # fmt: skip
            job = _job(subject, dataset, BlameRequest(str(of_class), *_candidate(subject)))
        blame = measured_page.finished(job, Blame)
        if job is not None and blame is None:
            progress.card(job, "blame", done="")
        if blame is None:
            st.caption("Each pruned layer is given back alone, all others as they are, and the class measured again.")
        else:
            _shown(subject, blame)
    if running.unfinished(job):
        ticker.tick("blame", _LATER_MS)


def _candidate(subject: CheckSubject) -> tuple[str | None, None, PruneSpec]:
    address = None if subject.candidate is None else subject.candidate.address
    return address, None, subject.spec or PruneSpec()


def _job(subject: CheckSubject, dataset: Dataset, request: BlameRequest) -> Job | None:
    job = tasks.find(subject.dense, dataset, request, opened=subject.opened)
    is_over = job is not None and (job.active or job.state == "done")
    if not is_over and st.button("Find out", icon=":material/troubleshoot:", key="blame_start"):
        tasks.submit(subject.dense, dataset, request, opened=subject.opened)
        st.rerun()
    return job


def _shown(subject: CheckSubject, blame: Blame) -> None:
    st.markdown(clean_markdown(blamed.sentence(blame), 600))
    rows = [dict(zip(blamed.HEAD, row, strict=True)) for row in blamed.rows(blame)]
    st.dataframe(rows, hide_index=True, key="blame_table")
    worst = blame.worst
    if worst is None or subject.spec is None:
        return
    name = clean_markdown(worst.group, 40)
    with st.container(horizontal=True, key="blame_ways"):
        if st.button(f"To {name} on Explore", icon=":material/tune:", key="blame_open"):
            _open(worst.group)
        text = "Nothing goes there any more; where one share is for all layers, others then give up more."
        if st.button(f"Lock {name} on Explore", icon=":material/lock:", key="blame_lock", help=text):
            spec = subject.spec
            session.workspace().set(spec.with_limit(worst.group, replace(spec.limit(worst.group), locked=True)))
            _open(worst.group)


def _open(group: str) -> None:
    """The explore page; where its list is long, searched for this layer."""
    put("list_query", group)
    session.workspace().layer = group
    st.switch_page("pages/explore.py")
