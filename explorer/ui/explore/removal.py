"""Removed for real: the smaller network, its proof, and how long it takes, as one background job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.analysis.costs import RunningCosts
from explorer.charts.structure import widths
from explorer.engine.jobs import Job
from explorer.export.naming import export_name
from explorer.export.slim import Proven, packed
from explorer.metrics.latency import Latency, sentence
from explorer.metrics.size import stored_tensors
from explorer.pruning.spec import PruneSpec
from explorer.tasks.removal import RemovalRequest
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text
from explorer.types import Dataset, LoadedModel, Measurement, Plan
from explorer.types.aliases import JsonDict
from explorer.ui.explore.view import View
from explorer.ui.shell import running, tasks
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart

_MARKS = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/help:"}


def card(view: View) -> bool:
    """Widths before and after; removal with its proof on request. True while that runs."""
    if view.work.spec.granularity.why_no_removal and not view.plan.kept_shapes:
        return False
    with st.container(border=True, key="removal_card"):
        st.header("The network, before and after", anchor=False)
        chart.draw(widths(view.plan, theme=chart_theme()), "widths")
        if view.why_not is not None or view.dataset is None or not view.plan.n_pruned:
            st.caption("Move a line: then the units can be removed for real, proven and timed.")
            return False
        if not view.plan.kept_shapes:
            st.caption("Here these units are only masked: they have no smaller form, and zeros alone change no time.")
            return False
        return _removal(view, view.dataset)


def _removal(view: View, dataset: Dataset) -> bool:
    job = _job(view)
    if job is None or job.state == "cancelled":
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.number_input("Batch size for the timing", 1, 1024, 1, key="latency_batch", width=180)
            st.button(
                "Remove, prove and time it",
                icon=":material/content_cut:",
                key="remove",
                on_click=_start,
                args=(view.model, dataset, view.work.spec),
                help="Cuts the network, compares it with the masked one, reopens it in a clean process, runs it in "
                "ONNX Runtime where that is installed, and times dense and pruned in turns.",
            )
        return False
    _outcome(view, job)
    return running.unfinished(job)


def _job(view: View) -> Job | None:
    """The last removal of this setting that this visitor asked for, in whatever batch it was timed."""
    if view.dataset is None:
        return None
    asked = tasks.mine(view.model, view.dataset, RemovalRequest)
    usual = tasks.find(view.model, view.dataset, RemovalRequest(view.work.spec))
    return next((job for request, job in reversed(asked) if request.spec == view.work.spec), usual)


def timed(view: View) -> Latency | None:
    """The measured times of the present setting, where it was removed and timed; in torch."""
    job = _job(view)
    costs = [result for result in job.results if isinstance(result, RunningCosts)] if job else []
    return costs[-1].latency if costs else None


def _start(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> None:
    tasks.submit(model, dataset, RemovalRequest(spec, int(st.session_state["latency_batch"])))


def _outcome(view: View, job: Job) -> None:
    if job.state == "failed":
        st.markdown(f"{_MARKS[False]} {clean_markdown(job.reason, 400)}")
        return
    removed = next((result for result in job.results if isinstance(result, Proven)), None)
    costs = [result for result in job.results if isinstance(result, RunningCosts)]
    if removed is None:
        st.caption("Removing and proving …")
        return
    _verdict(view.model, removed)
    if costs:
        in_onnx = [result for result in job.results if isinstance(result, Latency)]
        _costs(costs[-1], in_onnx[-1] if in_onnx else None)
    elif job.active:
        st.caption("Timing dense and pruned side by side …")
    # While the page ticks, a press would be lost: each drawing makes the offers anew.
    if removed.proof.ok and not job.active:
        _files(view.model, view.plan, removed)


def _verdict(model: LoadedModel, removed: Proven) -> None:
    """The badge with what it rests on, and every check behind a button."""
    proof = removed.proof
    if proof.failed is None:
        n = sum(t.numel() for t in removed.tensors.values())
        of = sum(t.numel() for t in stored_tensors(model).values())
        summary = (
            f"The smaller network answers like the masked one: at most {proof.largest_difference:.1e} of the largest"
        )
        summary += (
            f" output apart on {proof.evaluated_on}, no prediction changes. {n:,} of {of:,} stored numbers are left."
        )
    else:
        summary = f"{proof.failed.sentence} No file is offered."
    badge = ":blue-badge[:material/check_circle: Proven]" if proof.ok else ":orange-badge[:material/cancel: Not proven]"
    st.markdown(f"{badge} {clean_markdown(summary, 500)}")
    with st.popover("The proof", icon=":material/verified:"):
        for check in proof.checks:
            st.markdown(f"{_MARKS[check.ok]} {clean_markdown(check.sentence, 400)}")


def _costs(costs: RunningCosts, in_onnx: Latency | None) -> None:
    """Time, memory and energy, each with its origin; the sentence never gives a counted speed-up alone."""
    memory, energy = costs.memory, costs.energy
    rows = [
        *(_times(t) for t in (costs.latency, in_onnx) if t is not None),
        _row("Weights in memory", memory["weights_dense"], memory["weights_pruned"]),
        _row("Peak activations", memory["activations_dense"], memory["activations_pruned"]),
    ]
    rows.append({"what": "Energy", **_joules(energy, ""), "origin": "estimated"})
    if "dense_measured" in energy:
        rows.append({"what": "Energy, by meter", **_joules(energy, "_measured"), "origin": "measured"})
    st.dataframe(rows, hide_index=True, column_config=_COLUMNS)
    for text in (*costs.sentences[:1], *([sentence(None, in_onnx)] if in_onnx else []), *costs.sentences[1:]):
        st.caption(clean_markdown(text, 500))
    if costs.why_energy_not_measured:
        st.caption(costs.why_energy_not_measured)


def _joules(energy: Mapping[str, Measurement], suffix: str) -> dict[str, str]:
    return {name: f"{1e6 * energy[f'{name}{suffix}'].value:.3g} µJ" for name in ("dense", "pruned")}


def _times(t: Latency) -> dict[str, str]:
    """The medians, with the 10th and 90th percentile."""
    runtime = "Time, ONNX" if t.runtime == "onnx" else "Time, torch"
    dense, pruned = (f"{m.value:.3g} ms ({m.low or 0:.2g}–{m.high or 0:.2g})" for m in (t.dense, t.pruned))
    return {"what": f"{runtime}, batch {t.batch}", "dense": dense, "pruned": pruned, "origin": "measured"}


def _row(what: str, dense: Measurement, pruned: Measurement) -> dict[str, str]:
    return {"what": what, "dense": bytes_text(dense.value), "pruned": bytes_text(pruned.value), "origin": "counted"}


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "what": _COLUMN.TextColumn("Cost of one pass", width=158),
    "dense": _COLUMN.TextColumn("Dense", width=162, help="Times: the median, with the 10th and 90th percentile."),
    "pruned": _COLUMN.TextColumn("Units removed", width=162),
    "origin": _COLUMN.TextColumn("Origin", width=76),
}


def _files(model: LoadedModel, plan: Plan, removed: Proven) -> None:
    stem = export_name(model.address, settings=[PruneSpec.from_json(plan.spec)], share=plan.pruned_share)
    offers: list[tuple[str, Any, str]] = [
        ("Slim model (.safetensors)", lambda: packed(model, plan, removed), f"{stem}-slim.safetensors")
    ]
    if removed.proof.onnx:
        offers.append(("ONNX", removed.proof.onnx, f"{stem}-slim.onnx"))
    with st.container(horizontal=True):
        for label, content, name in offers:
            st.download_button(label, content, name, icon=":material/download:", on_click="ignore", key=f"get_{name}")
