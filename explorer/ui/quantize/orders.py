"""Prune first or quantize first: a card that measures both on the model at hand and says what came out."""

from __future__ import annotations

import streamlit as st

from explorer.engine.jobs import Job
from explorer.recovery.order import MeasuredOrder, advice
from explorer.tasks.grid import GridRequest
from explorer.tasks.order import OrderRequest
from explorer.text.delta import DELTA, delta_text
from explorer.text.names import clean_markdown
from explorer.text.numbers import interval, level, percent
from explorer.types import Dataset, LoadedModel
from explorer.ui.quantize import grids
from explorer.ui.shell import cache, running, tasks
from explorer.ui.widgets import progress
from explorer.ui.widgets.persistent_widget import remembered


def card(model: LoadedModel, dataset: Dataset, grid: GridRequest) -> bool:
    """The three orders at one share, their accuracies and one advice; True while they are measured."""
    st.header("Which comes first?", anchor=False)
    why = grids.why_no_training(dataset)
    if why:
        st.caption(clean_markdown(why.reason, 300))
        return False
    shares = [share for share in grid.shares if share > 0] or [0.5]
    with st.container(horizontal=True, vertical_alignment="bottom", key="order_controls"):
        changed = remembered("order_share", shares[len(shares) // 2], shares)
        share = st.selectbox("Pruned", shares, format_func=_share, key="order_share", width=110, on_change=changed)
        request = OrderRequest(grid.spec, share, grid.bits, grids.TRAINING)
        job = tasks.find(model, dataset, request)
        progress.stop_button([job], "order_stop")
        is_over = job is not None and (job.active or job.state == "done")
        if not is_over and st.button("Compare", icon=":material/swap_vert:", key="order"):
            tasks.submit(model, dataset, request)
            st.rerun()
    if job is None:
        st.caption(
            f"Measures prune, quantize; quantize, prune; and prune, tune, quantize with weights of {grid.bits} bits "
            f"and {grids.EPOCHS} epochs, on the same samples."
        )
        return False
    _outcome(job, model, dataset, request)
    return running.unfinished(job)


def _share(share: float) -> str:
    return percent(share, 0)


def _outcome(job: Job, model: LoadedModel, dataset: Dataset, request: OrderRequest) -> None:
    tried = [result for result in job.results if isinstance(result, MeasuredOrder)]
    if tried:
        st.dataframe([_row(order) for order in tried], hide_index=True)
    progress.card(job, "comparison")
    evaluator = cache.evaluator(model, dataset, dataset.splits["tune"])
    sentences = advice(tried, evaluator, share=request.share, bits=request.bits)
    if sentences:
        st.markdown(clean_markdown(sentences, 900))
        st.caption("Of this model, these samples and this training alone.")


def _row(tried: MeasuredOrder) -> dict[str, str]:
    evaluation = tried.evaluation
    return {
        "order": tried.words,
        "accuracy": level(evaluation.accuracy),
        "95 %": interval(evaluation.accuracy),
        DELTA: delta_text(evaluation.drop),
    }
