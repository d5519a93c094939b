"""The trade-off page: methods measured at rising compression, on one chart and in one table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st

from explorer.analysis.comparison.comparison import Comparison
from explorer.engine.jobs import Job
from explorer.export.naming import export_name
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, TradeOffPoint
from explorer.ui.explore import curves
from explorer.ui.shell import running, session, tasks, ticker
from explorer.ui.shell.metric_chooser import to_give_up
from explorer.ui.tradeoff import chart, choices, earlier, tables, verdicts
from explorer.ui.widgets import measured_page, progress
from explorer.ui.widgets.persistent_widget import remembered, value

_BUDGET = "compare_budget"
_LATER_MS = 400
_ABOUT = (
    "A trade-off curve prunes the model step by step and measures each step on labelled samples. "
    "For that a file needs its architecture: choose it under Model at the top, or open a bundled model."
)


@dataclass(frozen=True)
class Measured:
    """The comparison with its points at one moment, and the jobs that measure them: one for each of its requests."""

    model: LoadedModel
    dataset: Dataset
    comparison: Comparison
    jobs: list[Job]

    @property
    def running(self) -> list[Job]:
        return [job for job in self.jobs if job.active]


def arrive() -> None:
    """A visitor comes to the page: what was measured before is looked up anew."""
    earlier.arrive()


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, verdict, chart and tables; reruns by itself while something is being measured."""
    dataset = measured_page.begun(model, dataset, "No curve without a measurement", _ABOUT)
    if dataset is None:
        return
    with st.container(border=True, key="choices_card"):
        request = choices.draw(model, dataset, session.workspace().spec)
        if request is None:
            return
        measured = _measured(model, dataset, request)
        _progress(measured)
    comparison = measured.comparison
    with st.container(border=True, key="verdict_card"):
        verdicts.draw(comparison, _given_up())
    left, right = st.columns([2.1, 1], gap="medium")
    with left, st.container(border=True, key="compare_card", height="stretch"):
        shown = earlier.shown(model, dataset, comparison)
        picked = chart.draw(comparison, shown, _given_up(), _stem(comparison))
    with right, st.container(border=True, key="budget_card", height="stretch"):
        _budget(measured)
    with st.container(border=True, key="points_card"):
        chosen = tables.points(comparison, _stem(comparison), picked.brushed) or picked.point
    chosen = earlier.draw(model, dataset, comparison) or chosen
    if chosen is not None:
        _open(chosen)
    if any(running.unfinished(job) for job in measured.jobs):
        ticker.tick("compare", _LATER_MS)


def _measured(model: LoadedModel, dataset: Dataset, comparison: Comparison, *, again: bool = False) -> Measured:
    """The jobs of its requests: begun by this call, except what the visitor stopped; ``again`` begins that too."""
    requests = [curves.request_of(label, spec) for label, spec in comparison.requests()]
    jobs = [tasks.submitted(model, dataset, request, again=again) for request in requests]
    points = (point for job in jobs for point in job.results)
    return Measured(model, dataset, comparison.with_points(points), jobs)


def _progress(measured: Measured) -> None:
    """How far it is, with Stop; what failed, in a sentence."""
    with st.container(horizontal=True, vertical_alignment="center", key="compare_progress"):
        progress.several(measured.jobs, "compare", partial(_go_on, measured))
    progress.why_missing(measured.jobs)


def _go_on(measured: Measured) -> None:
    _measured(measured.model, measured.dataset, measured.comparison, again=True)


def _given_up() -> float:
    """How much accuracy one would give up, as a share; of another metric in its own unit."""
    asked = to_give_up(_BUDGET, "accuracy")
    return asked.worth * float(value(asked.key, asked.usual, within=asked.ends))


def _budget(measured: Measured) -> None:
    """The question behind the chart: how small for how much accuracy."""
    st.header("How far within a budget", anchor=False)
    asked = to_give_up(_BUDGET, tables.judged_by(measured.comparison.curves).lower())
    st.number_input(
        f"{asked.label} one would give up" if asked.worth < 1 else asked.label,
        *asked.ends,
        step=asked.step,
        format=asked.format,
        key=asked.key,
        on_change=remembered(asked.key, asked.usual, within=asked.ends),
    )
    tables.within(measured.comparison, _given_up())
    n = len(measured.dataset.splits["tune"])
    st.caption(
        f"Every point prunes the dense model anew, without retraining, and is measured on the {n:,} samples of the "
        "tune split. Bands are 95 % intervals; of several seeds, lowest to highest around their mean."
    )
    st.caption(
        "Grey is what a criterion must beat: chance, and plain magnitude. Rings mark points that no other is both "
        "smaller and more accurate than."
    )


def _stem(comparison: Comparison) -> str:
    """The beginning of a file name: the model, and what is compared."""
    held = "classifier-locked" if comparison.lock_classifier else "classifier-free"
    seeds = f"{len(comparison.seeds)}seeds" if len(comparison.seeds) > 1 else ""
    return export_name(comparison.subject.model, seeds, held, "tradeoff", settings=comparison.methods)


def _open(point: TradeOffPoint) -> None:
    """Take a point's setting to the explore page; undo there brings the old one back."""
    session.workspace().set(PruneSpec.from_json(point.spec))
    st.switch_page("pages/explore.py")
