"""Measuring while the line moves: one worker a session, the newest plan wins."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from explorer.analysis import collapse
from explorer.analysis.drop_below.answering import as_stopped, is_answered
from explorer.analysis.facts import NO_DATA as NO_DATA
from explorer.analysis.facts import why_not as why_not
from explorer.engine.live import LiveWorker
from explorer.types import Dataset, Evaluation, LoadedModel, Plan
from explorer.ui.shell import cache, session

# A small network has its answer within this time; waiting for it saves a second drawing.
_PATIENCE_S = 0.06


@dataclass(frozen=True)
class Answer:
    """What is known now: the newest evaluation, whether more is to come, and whether it is of an older line."""

    evaluation: Evaluation | None
    pending: bool
    stale: bool = False


def measure(model: LoadedModel, dataset: Dataset, plan: Plan, limit: float | None = None) -> Answer:
    """Ask for ``plan`` and give what is known after a moment. Raises what the evaluation raised.

    With a ``limit`` the evaluation ends once it is answered whether the drop is below it.
    """
    worker, labels = _worker(model, dataset), dataset.splits["tune"].y
    enough = None if limit is None else partial(is_answered, labels=labels, limit=limit)
    worker.submit(plan.digest, plan, enough)
    latest = worker.wait(_PATIENCE_S)
    result = latest.result
    if latest.key != plan.digest or result is None:
        return Answer(result if isinstance(result, Evaluation) else None, pending=True, stale=True)
    if isinstance(result, Exception):
        raise result
    if not latest.pending and not result.complete and enough is not None and enough(result):
        return Answer(as_stopped(result, labels), pending=False)
    if latest.pending or not result.complete:
        return Answer(result, pending=True)
    findings = collapse.after(result, model.n_classes, plan, labels)
    return Answer(replace(result, findings=tuple(findings)), pending=False)


def answer(
    model: LoadedModel, dataset: Dataset | None, plan: Plan, limit: float | None = None
) -> tuple[Answer, str | None]:
    """What is measured of ``plan`` so far (see :func:`measure`); with a sentence instead where it cannot be."""
    nothing, refusal = Answer(None, pending=False, stale=True), why_not(model, dataset)
    if refusal is not None or dataset is None:
        return nothing, str(refusal or NO_DATA)
    try:
        return measure(model, dataset, plan, limit), None
    except Exception as error:  # the model's own forward may raise anything
        logging.getLogger(__name__).exception("The pruned model could not be run.")
        return nothing, f"The pruned model could not be run ({type(error).__name__})."


def _worker(model: LoadedModel, dataset: Dataset) -> LiveWorker:
    """This session's worker; another model or other data gets a new one and ends the old."""
    metric = session.workspace().source.metric
    identity = (model.identity, dataset.digest, metric)
    stored = st.session_state.get("live_worker")
    if stored is not None and stored[0] == identity:
        worker: LiveWorker = stored[1]
        return worker
    if stored is not None:
        stored[1].close()
    evaluator = cache.evaluator(model, dataset, dataset.splits["tune"], metric)
    worker = LiveWorker(evaluator, slots=cache.evaluations_at_once())
    st.session_state["live_worker"] = (identity, worker)
    return worker
