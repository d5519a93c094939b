"""The setting on the screen with its weights in int8: accuracy and size beside those of float."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.engine.live import LiveWorker
from explorer.export.onnx_int8 import INT8_METHODS, Int8Method, int8_onnx, why_not_int8
from explorer.metrics.base import evaluated_by
from explorer.recovery.quantization import quantized_plan
from explorer.recovery.quantized_size import smallest
from explorer.terms import tooltip
from explorer.text.delta import delta_text
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text, interval, level, provenance
from explorer.types import Evaluation, Plan
from explorer.ui.explore.export_menu import setting_stem
from explorer.ui.explore.view import View
from explorer.ui.shell import cache, ticker
from explorer.ui.widgets.persistent_widget import remembered

_WORKER, _ROUNDED = "_int8_worker", "_int8_plan"
_BITS = (8, 6, 4, 3, 2)
_SOON_MS = 60
_PATIENCE_S = 0.05
# Rounding takes some milliseconds for so many weights: a line that moves need not wait for it.
_QUICK = 2_000_000


def card(view: View) -> None:
    """A switch; with it on, the present setting is measured in int8 as well, and reruns until that is known."""
    with st.container(border=True, key="int8_card"):
        with st.container(horizontal=True, vertical_alignment="center", key="int8_head"):
            changed = remembered("int8_on", False)
            on = st.toggle("int8 weights", key="int8_on", on_change=changed, help=tooltip("quantization"))
            if not on:
                return
            changed = remembered("int8_bits", 8, _BITS)
            bits = st.segmented_control(
                "Bits", _BITS, key="int8_bits", on_change=changed, label_visibility="collapsed",
                format_func=lambda n: f"{n} bit",
            )  # fmt: skip
            _files(view)
        if view.why_not is not None or view.dataset is None:
            st.caption(clean_markdown(view.why_not or "There is no data to evaluate the model on.", 300))
            return
        _draw(view, int(bits or 8))


def _files(view: View) -> None:
    """The setting as int8 ONNX files; made, checked and run in ONNX Runtime when they are asked for."""
    with st.popover("ONNX", icon=":material/download:", help="Real int8 files, for ONNX Runtime."):
        for how in INT8_METHODS:
            why = why_not_int8(view.model, how)
            if why:
                st.caption(f":material/info: {clean_markdown(str(why), 300)}")
                continue
            name = f"{setting_stem(view)}-int8-{how}.onnx"
            st.download_button(
                f"int8, {how}", _content(view, how), name, icon=":material/download:", on_click="ignore",
                key=f"int8_file_{how}",
            )  # fmt: skip
        st.caption("8 bits, zeros included. static also fixes the ranges of activations, on samples of the fit split.")


def _content(view: View, how: Int8Method) -> Callable[[], bytes]:
    return lambda: int8_onnx(view.model, view.plan, how, data=view.dataset).content


def _draw(view: View, bits: int) -> None:
    plan = _rounded(view, bits)
    evaluation = _measured(view, plan) if plan is not None else None
    if isinstance(evaluation, Exception):
        st.caption(f"With int8 weights it could not be run ({type(evaluation).__name__}).")
        return
    before = min(m.value for m in view.planned.sizes.values())
    size = smallest(view.model, view.plan, bits)
    with st.container(horizontal=True, key="int8_facts"):
        st.markdown(_accuracy(evaluation, bits))
        st.markdown(f"Smallest file  \n**{bytes_text(size.value)}**  \n{bytes_text(before)} in float32 · counted")
    if evaluation is None or not evaluation.complete:
        ticker.tick("int8", _SOON_MS)


def _accuracy(evaluation: Evaluation | None, bits: int) -> str:
    if evaluation is None:
        return f"With {bits}-bit weights  \n**…**  \nmeasuring"
    sign = "" if evaluation.complete else "≈ "
    name = evaluated_by(evaluation.judged_by, evaluation.accuracy).capitalize()
    change, bounds = delta_text(evaluation.drop), interval(evaluation.accuracy)
    details = f"{change} against dense float · {bounds}, {provenance(evaluation.accuracy)}"
    return f"{name}, {bits}-bit weights  \n**{sign}{level(evaluation.accuracy)}**  \n{details}"


def _rounded(view: View, bits: int) -> Plan | None:
    """The plan with rounded weights, made once for each setting; None while a line of a large model moves."""
    key = (view.model.identity, view.plan.digest, bits)
    stored = st.session_state.get(_ROUNDED)
    if stored is not None and stored[0] == key:
        rounded: Plan = stored[1]
        return rounded
    if view.model.n_parameters > _QUICK and (not view.work.settled or view.answer.pending):
        return None
    rounded = quantized_plan(view.model, view.plan, bits)
    st.session_state[_ROUNDED] = (key, rounded)
    return rounded


def _measured(view: View, plan: Plan) -> Evaluation | Exception | None:
    """What is known of this plan by now."""
    worker = _worker(view)
    worker.submit(plan.digest, plan)
    latest = worker.wait(_PATIENCE_S)
    return latest.result if latest.key == plan.digest else None


def _worker(view: View) -> LiveWorker:
    """This session's second worker: the one of the lines must not wait for it."""
    if view.dataset is None:
        raise ValueError("nothing to measure on")
    identity = (view.model.identity, view.dataset.digest)
    stored = st.session_state.get(_WORKER)
    if stored is not None and stored[0] == identity:
        worker: LiveWorker = stored[1]
        return worker
    if stored is not None:
        stored[1].close()
    judge = cache.evaluator(view.model, view.dataset, view.dataset.splits["tune"])
    worker = LiveWorker(judge, slots=cache.evaluations_at_once())
    st.session_state[_WORKER] = (identity, worker)
    return worker
