"""The explore page: drag a line, watch the measured accuracy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import streamlit as st

from explorer import component
from explorer.analysis.sensitivity.scan import Sensitivity
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.types import Dataset, LoadedModel, Plan
from explorer.ui.explore import (
    advice_card,
    chart_card,
    controls,
    drop_question,
    export_menu,
    list_pages,
    overview,
    quantized,
    removal,
    two_settings,
)
from explorer.ui.explore.planned import planned
from explorer.ui.explore.view import View
from explorer.ui.sensitivity import scans
from explorer.ui.shell import cache, live, opened_files, recording, running, session, ticker
from explorer.ui.widgets import histogram, onboarding, summary
from explorer.workbench.apply import apply
from explorer.workbench.lines import common_lines
from explorer.workbench.workspace import Workspace

_KEY = "lines"
_EXPECTED = "_expected_costs"
_SOON_MS, _LATER_MS = 30, 400


def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """What stays, and below it the one part that a drag draws again."""
    histogram.bring_parts(_KEY)
    _draw(model, dataset)


@st.fragment
def _draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """One fragment holds the control and all its results: a drag reruns nothing else.

    What comes and goes has a place of its own that is always there, or stands last: what is below is not made anew.
    """
    running.drawing()
    work = session.workspace()
    _listen(work, model, dataset)
    view = _measured(work, model, dataset)
    session.write_link(work)  # first: it carries the setting, whatever becomes of the rest
    summary.draw(summary.facts(model, view.plan, view.answer, view.why_not, dataset))
    session.show_notices()
    with st.empty():  # a place that stays when the hint goes: the lines below are not made anew
        onboarding.first_run()
    left, right = st.columns([1, 1.05], gap="medium")
    with left, st.container(border=True, key="lines_card"):
        controls.bar(work, model, dataset, view.scores, view.plan)
        comparing = two_settings.line(view)
        overview.draw(model, view.plan)
        scanning = _lines(view)
    with right:
        with st.container(border=True, key="chart_card"):
            growing = chart_card.card(view)
        with st.container():
            drop_question.card(view)
        chart_card.below(view)
        with st.container():
            removing = removal.card(view)
        quantized.card(view)
        with st.container():
            advising = advice_card.card(view)
        export_menu.verdict(view)
    session.write_link(work)
    if running.is_stale() or opened_files.is_news(work.source):
        st.rerun()
    if view.answer.pending:
        ticker.tick("soon", _SOON_MS)
    elif growing or scanning or removing or advising or comparing:
        ticker.tick("later", _LATER_MS)


def _listen(work: Workspace, model: LoadedModel, dataset: Dataset | None) -> None:
    """Turn what the user did since the last run into a new request."""
    events = histogram.new_events(_KEY, session.notify)
    for refusal in apply(work, events, model, lambda spec: cache.scores(model, spec, dataset)):
        session.notify(refusal)


def _measured(work: Workspace, model: LoadedModel, dataset: Dataset | None) -> View:
    scores = session.scores(model, dataset)
    try:
        present = planned(model, work.spec, scores)
    except ExplorerError as error:
        session.notify(error)
        work.set(replace(work.spec, allocation=type(work.spec.allocation)(), limits=(), then=None))
        present = planned(model, work.spec, scores)
    answer, why_not = live.answer(model, dataset, present.plan, drop_question.stops_at())
    view = View(work, model, dataset, scores, present, answer, why_not)
    if view.evaluation is not None and view.evaluation.complete and work.settled and view.point is not None:
        is_new = not work.tried or work.tried[-1].spec != view.point.spec
        work.remember(view.point)
        if is_new and dataset is not None:
            recording.keep(view.point, model, dataset, "drag")
    return view


def _lines(view: View) -> bool:
    """The histograms with what a scan knows of each layer; True while that scan runs."""
    sensitivity, job = Sensitivity(()), None
    if view.why_not is None and view.dataset is not None:
        sensitivity, job = scans.known(view.model, view.dataset, view.work.spec)
    expected = _expected(view.plan, sensitivity)
    # The browser looks at what it is told only under a number it has not seen.
    if st.session_state.get(_EXPECTED) != expected:
        st.session_state[_EXPECTED] = expected
        view.work.touch()
    page = list_pages.chosen(cache.listed(view.scores.groups))
    fixed = cache.histograms(view.model, view.work.spec, view.dataset, page)
    moving = component.dynamic_part(
        fixed,
        view.plan,
        component.ListState(
            revision=view.work.revision,
            scale=view.work.scale,
            mode=view.work.mode,
            lines=common_lines(view.work.spec, view.scores, view.plan),
            limits={name: (limit.floor, limit.cap) for name, limit in view.work.spec.limits},
            can_undo=view.work.can_undo,
            can_redo=view.work.can_redo,
            expected=expected,
        ),
    )
    shown = {group["name"] for group in fixed["groups"]}
    levels = {name: costs for name, costs in sensitivity.strips().items() if name in shown}
    strips = component.strips_part(levels, whole=100 * sensitivity.dense_accuracy) if sensitivity.cells else None
    listen = partial(_listen, view.work, view.model, view.dataset)
    histogram.draw(fixed, moving, key=_KEY, strips=strips, on_commit=listen)
    _scan_line(view, sensitivity, job)
    return running.unfinished(job)


def _expected(plan: Plan, sensitivity: Sensitivity) -> dict[str, float]:
    """What each line costs alone, in points: interpolated between measured levels, so estimated."""
    drops = {k.group.name: 100 * sensitivity.expected_drop(k.group.name, k.sparsity) for k in plan.groups if k.n_pruned}
    return {name: drop for name, drop in drops.items() if not math.isnan(drop)}


def _scan_line(view: View, sensitivity: Sensitivity, job: Job | None) -> None:
    if view.why_not is not None or view.dataset is None:
        return
    if job is not None and job.active:
        st.caption(f"Scanning what each layer costs alone: {job.n_done} of {job.total} cells.")
    elif not sensitivity.cells:
        st.page_link(
            "pages/sensitivity.py",
            label="Scan what each layer costs alone",
            icon=":material/stacked_bar_chart:",
            width="content",
        )
