"""The right side of the explore page: the trade-off chart, what changed, warnings."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

from explorer.analysis import collapse
from explorer.charts import clicked, tradeoff
from explorer.charts.classes import recall_by_class
from explorer.engine.jobs import Job
from explorer.metrics import METRICS
from explorer.metrics.per_class import class_counts
from explorer.pruning.spec import PruneSpec
from explorer.text.names import clean_markdown
from explorer.text.numbers import in_words, level
from explorer.types import Dataset, Evaluation, Finding, TradeOff
from explorer.ui.explore import costs, curves, export_menu, front
from explorer.ui.explore.view import View
from explorer.ui.shell import metric_chooser, running, tasks
from explorer.ui.shell.theme import chart_theme, is_dark
from explorer.ui.widgets import chart, progress, thumbnails

_AXES = {
    "compression_ratio": "compression",
    "macs": "theoretical speed-up",
    "size_bytes": "file size",
    "sparsity": "sparsity",
}
_BUDGET = 0.01
_SHOWN = "_chart_shown"
_IN_SIGHT = 2
_MOST_LISTED = 50  # of thousands of layers each may have a warning, and what is drawn is sent with every answer
_MOST_CLASSES = 100
_ICONS = {"ok": ":material/check_circle:", "warn": ":material/warning:", "fail": ":material/error:"}


def card(view: View) -> bool:
    """Size against accuracy; a click on a point restores its setting. True while curves still grow."""
    with st.container(horizontal=True, vertical_alignment="center", key="chart_head"):
        metric = metric_chooser.chosen_metric()
        st.header(f"Size against {'accuracy' if metric is None else metric.label}", anchor=False, width="content")
        with st.popover("All sizes", icon=":material/table_rows:", help="Every size and count, with its origin."):
            costs.table(view)
        export_menu.buttons(view)
    if view.why_not is not None or view.dataset is None:
        why = (
            "" if view.model.why_not_runnable else clean_markdown(view.why_not or "", 300)
        )  # else it is said at the top
        st.caption(f"No chart without a measurement. {why}")
        return False
    measured_curves, jobs = curves.background(view.model, view.dataset, view.work.spec)
    figure = _figure(view, measured_curves)
    chosen = chart.draw(figure, "chart", on_select="rerun", selection_mode="points")
    _restore(view, measured_curves, chosen)
    with st.container(key="front_place"):  # always there: what is below is not made anew when the slider comes
        if not any(job.active for job in jobs):
            front.slider(view, measured_curves)
    return _foot(view, jobs)


def _figure(view: View, measured_curves: list[TradeOff]) -> go.Figure:
    """The chart, built anew only when something on it changed; not at all while a line is being dragged.

    Building and drawing it costs more than all the rest of a rerun, and the numbers above move anyway.
    """
    axis = st.session_state.get("chart_axis", "compression_ratio")
    sizes = tuple(len(curve.points) for curve in measured_curves)
    settled = view.work.settled and not view.answer.pending
    shown = st.session_state.get(_SHOWN)
    frame = (view.model.identity, view.work.spec.granularity, view.work.spec.criterion, axis, is_dark())
    if shown is not None and shown[0] == frame and (not settled or shown[1] == (sizes, view.plan.digest)):
        figure: go.Figure = shown[2]
        return figure
    figure = tradeoff(
        measured_curves, now=view.point, tried=view.work.tried, budget=_BUDGET, x=axis, theme=chart_theme()
    )
    st.session_state[_SHOWN] = (frame, (sizes, view.plan.digest if settled else None), figure)
    return figure


def _foot(view: View, jobs: list[Job]) -> bool:
    """The axis to choose, and how far the curves are; True while they grow."""
    with st.container(horizontal=True, vertical_alignment="center", key="chart_foot"):
        st.selectbox(
            "Against",
            list(_AXES),
            format_func=_AXES.__getitem__,
            key="chart_axis",
            label_visibility="collapsed",
            width=190,
        )
        if any(job.active for job in jobs):
            done, total = progress.counted(jobs)
            st.caption(f"Measuring the curves: {done} of {total} points.")
        elif any(tasks.is_stopped(job) for job in jobs):
            st.caption("The curves were stopped.", width="content")
            st.button("Go on", icon=":material/play_arrow:", key="curves_go_on", on_click=_go_on, args=(view,))
        else:
            held = clean_markdown(curves.held_in_words(view.model, view.work.spec), 200)
            st.caption(f"Click a point to go back to its setting. Bands: 95 % intervals. {held}")
    progress.why_missing(jobs)
    return any(running.unfinished(job) for job in jobs)


def _go_on(view: View) -> None:
    if view.dataset is not None:
        curves.background(view.model, view.dataset, view.work.spec, again=True)


def _restore(view: View, measured_curves: list[TradeOff], chosen: object) -> None:
    """Take the setting behind a clicked point, once for each click."""
    points = getattr(getattr(chosen, "selection", None), "points", None) or []
    data = points[0].get("customdata") if points else None
    if data is None or data == st.session_state.get("_restored"):
        st.session_state["_restored"] = data
        return
    st.session_state["_restored"] = data
    point = clicked(data, measured_curves, view.work.tried)
    if point is not None:
        view.work.set(PruneSpec.from_json(point.spec))
        st.rerun()


def below(view: View) -> None:
    """What changed in samples, and warnings in sentences."""
    left, right = st.columns([1, 1.6], gap="small")
    with left, st.container(border=True, key="changed_card", height="stretch"):
        st.header("What changed", anchor=False)
        _changed(view)
    with right, st.container(border=True, key="watch_card", height="stretch"):
        st.header("Warnings", anchor=False)
        _watch(view)


def _by_class(dataset: Dataset, evaluation: Evaluation, y: Tensor) -> None:
    """The recall of each class behind a button: a mean hides which class was lost."""
    both = evaluation.predictions, evaluation.dense_predictions
    n = max(len(dataset.classes), *(int(classes.max()) + 1 for classes in (*both, y) if len(classes)))
    if n > _MOST_CLASSES:
        return
    with st.popover("By class", icon=":material/bar_chart:"):
        pruned, dense = (class_counts(predictions, y, n) for predictions in both)
        names = [dataset.class_name(i) for i in range(n)]
        chart.draw(recall_by_class(names, pruned, dense, theme=chart_theme()), "by_class")
        st.caption(f"Of {evaluation.n:,} samples, measured; whiskers: 95 % intervals; the mark is the dense model.")


def _also_measured(evaluation: Evaluation) -> None:
    """Every other registered metric that applies, with its interval, behind a button."""
    if not evaluation.metrics:
        return
    with st.popover("Other metrics", icon=":material/query_stats:"):
        st.caption(f"Measured on the same {evaluation.n:,} samples.")
        for key, measurement in evaluation.metrics.items():
            label = METRICS.member(key).label
            st.text(f"{label[:1].upper()}{label[1:]}: {in_words(measurement)}")


def _changed(view: View) -> None:
    evaluation = view.evaluation
    if evaluation is None or view.dataset is None:
        st.caption("Drag a line: the samples whose answer changes are shown here.")
        return
    split = view.dataset.splits["tune"]
    if not evaluation.chooses_classes:
        unit = " of the next tokens" if evaluation.judged_by == "tokens" else ""
        same = f"Agreement with the dense model: **{clean_markdown(level(evaluation.agreement), 60)}**{unit}."
        st.markdown(same if view.plan.n_pruned else "Nothing is removed: every answer is as before.")
        _also_measured(evaluation)
        return
    differ = evaluation.predictions != evaluation.dense_predictions
    if split.y is None:
        st.markdown(f"**{int(differ.sum()):,}** of {evaluation.n:,} answers differ from the dense model's.")
        return
    y = split.y[: evaluation.n]
    lost = torch.nonzero((evaluation.dense_predictions == y) & differ).flatten()
    won = torch.nonzero((evaluation.predictions == y) & differ).flatten()
    if not len(lost) and not len(won):
        st.markdown("Every answer is as right or wrong as before.")
    else:
        st.markdown(f"**{len(lost):,}** that were right are now wrong, **{len(won):,}** the other way.")
    _by_class(view.dataset, evaluation, y)
    _also_measured(evaluation)
    if len(lost) + len(won) and view.dataset.images:
        with st.popover("See them", icon=":material/image_search:"):
            thumbnails.grid(view.dataset, evaluation, lost, "Right before, wrong now")
            thumbnails.grid(view.dataset, evaluation, won, "Wrong before, right now")


def _watch(view: View) -> None:
    after = view.evaluation.findings if view.evaluation is not None else ()
    of_data = view.dataset.findings if view.dataset is not None else ()
    before = (*view.model.findings, *of_data, *view.planned.findings)
    # Of those alike what the answers show comes first: it is what pruning is about.
    warnings = collapse.worst_first(f for f in (*after, *before) if f.level != "ok")
    for finding in warnings[:_IN_SIGHT]:
        _finding(finding)
    if len(warnings) > _IN_SIGHT:
        with st.popover(f"{len(warnings) - _IN_SIGHT:,} more"):
            for finding in warnings[_IN_SIGHT : _IN_SIGHT + _MOST_LISTED]:
                _finding(finding)
            n_unlisted = len(warnings) - _IN_SIGHT - _MOST_LISTED
            if n_unlisted > 0:
                st.caption(f"{n_unlisted:,} more are not listed here.")
    for note in view.plan.notes:
        st.caption(f":material/info: {clean_markdown(note, 300)}")
    if not warnings:
        st.caption("No layer is empty, no channel is dead.")
    if view.plan.n_pruned and not view.plan.kept_shapes:
        for sentence in view.planned.advice:
            st.caption(clean_markdown(sentence, 300))


def _finding(finding: Finding) -> None:
    evidence = f" {clean_markdown(finding.evidence, 200)}" if finding.evidence else ""
    st.markdown(f"{_ICONS[finding.level]} **{clean_markdown(finding.what, 200)}**{evidence}")
    if finding.action:
        st.caption(clean_markdown(finding.action, 200))
