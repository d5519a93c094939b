"""Prune first or quantize first: a card that measures both on the model at hand and says what came out."""

from __future__ import annotations

import streamlit as st

from explorer.engine.jobs import Job
from explorer.recovery.order import Tried, advice
from explorer.text.names import plain
from explorer.text.numbers import interval, percent, points
from explorer.types import Dataset, LoadedModel
from explorer.ui.quantize import grids
from explorer.ui.shell import cache, running


def card(model: LoadedModel, dataset: Dataset, wanted: grids.Wanted) -> bool:
    """The three orders at one share, their accuracies and one advice; True while they are measured."""
    st.markdown("**Which comes first?**")
    why = grids.why_no_training(dataset)
    if why:
        st.caption(plain(why, 300))
        return False
    shares = [share for share in wanted.shares if share > 0] or [0.5]
    with st.container(horizontal=True, vertical_alignment="bottom", key="order_controls"):
        share = st.selectbox("Pruned", shares, len(shares) // 2, format_func=_share, key="order_share", width=110)
        job = grids.find_orders(model, dataset, wanted.spec, share, wanted.bits)
        if job is not None and job.active:
            st.button("Stop", icon=":material/stop_circle:", on_click=job.cancel, key="order_stop")
        elif (job is None or job.state != "done") and st.button("Compare", icon=":material/swap_vert:", key="order"):
            grids.start_orders(model, dataset, wanted.spec, share, wanted.bits)
            st.rerun()
    if job is None:
        st.caption(
            f"Measures prune, quantize; quantize, prune; and prune, tune, quantize with weights of {wanted.bits} bits "
            f"and {grids.EPOCHS} epochs, on the same samples."
        )
        return False
    _outcome(job, model, dataset, share, wanted.bits)
    return running.unfinished(job)


def _share(share: float) -> str:
    return percent(share, 0)


def _outcome(job: Job, model: LoadedModel, dataset: Dataset, share: float, bits: int) -> None:
    tried = [item for item in job.results if isinstance(item, Tried)]
    if tried:
        st.dataframe([_row(t) for t in tried], hide_index=True)
    if job.active:
        waits = "Waiting for its turn: " if job.state == "queued" else ""
        st.progress(job.progress, f"{waits}{job.n_done} of {job.total} orders{grids.doing(job)}")
    elif job.state == "failed":
        st.error(f"The comparison ended early: {plain(job.reason, 300)}", icon=":material/error:")
    elif job.state == "cancelled":
        st.caption(f"Stopped after {job.n_done} of {job.total} orders.")
    said = advice(tried, cache.evaluator(model, dataset, dataset.splits["tune"]), share=share, bits=bits)
    if said:
        st.markdown(plain(said, 900))
        st.caption("Of this model, these samples and this training alone.")


def _row(tried: Tried) -> dict[str, str]:
    found = tried.evaluation
    return {
        "order": tried.words,
        "accuracy": percent(found.accuracy.value),
        "95 %": interval(found.accuracy),
        "change": points(-found.drop.value),
    }
