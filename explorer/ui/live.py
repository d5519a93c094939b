"""Measuring while the line moves: one worker a session, the newest plan wins."""

from __future__ import annotations

import time
from dataclasses import replace

import streamlit as st

from explorer.analysis import collapse
from explorer.engine.live import LiveWorker
from explorer.types import Dataset, Evaluation, LoadedModel, Plan
from explorer.ui import cache

# A small network has its answer within this time; waiting for it saves a second drawing.
_PATIENCE_S = 0.06
_STEP_S = 0.004


def why_not(model: LoadedModel, dataset: Dataset | None) -> str | None:
    """Why nothing can be measured, in a sentence; None when it can."""
    if model.module is None:
        return model.why_not_runnable or "The model cannot be run."
    if dataset is None:
        return "There is no data to judge the model on."
    return dataset.why_no_split.get("tune") if "tune" not in dataset.splits else None


def measure(model: LoadedModel, dataset: Dataset, plan: Plan) -> tuple[Evaluation | None, bool]:
    """The newest known evaluation of ``plan`` (None: nothing yet) and whether more is to come.

    Raises what the evaluation raised.
    """
    worker = _worker(model, dataset)
    worker.submit(plan.digest, plan)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        key, found, pending = worker.latest()
        ready = key == plan.digest and found is not None
        if (ready and not pending) or time.monotonic() > deadline:
            break
        time.sleep(_STEP_S)
    if isinstance(found, Exception):
        raise found
    if found is None or key != plan.digest:
        return None, True
    if pending or not found.complete:
        return found, True
    return replace(found, findings=tuple(collapse.after(found, model.n_classes, plan))), False


def _worker(model: LoadedModel, dataset: Dataset) -> LiveWorker:
    """This session's worker; another model or other data gets a new one and ends the old."""
    wanted = (model.digest, dataset.digest)
    known = st.session_state.get("live_worker")
    if known is not None and known[0] == wanted:
        worker: LiveWorker = known[1]
        return worker
    if known is not None:
        known[1].close()
    worker = LiveWorker(cache.evaluator(model, dataset, dataset.splits["tune"]), cache.evaluations_at_once())
    st.session_state["live_worker"] = (wanted, worker)
    return worker
