"""The quantize page: pruning and number formats as one grid, which comes first, and skipped activations."""

from __future__ import annotations

import json

import streamlit as st

from explorer.analysis.report import finite
from explorer.charts.quantization import RECOVERY_NAMES, name_of, quantization_grid, quantization_heatmap
from explorer.engine.jobs import Job
from explorer.export.naming import export_name
from explorer.pruning.criteria.places import is_language_model
from explorer.recovery.grid import RECOVERIES, GridPoint, n_points, pareto
from explorer.tasks.grid import GridRequest
from explorer.text.delta import DELTA, delta_text, named, worse_is_up
from explorer.text.names import clean_markdown
from explorer.text.numbers import bytes_text, interval, level, percent
from explorer.text.spreadsheet import csv_text
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonDict
from explorer.types.results import FIRST_NAMES
from explorer.ui.quantize import grids, orders, serving, skipped
from explorer.ui.shell import running, session, tasks, ticker
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, measured_page, progress
from explorer.ui.widgets.persistent_widget import remembered

_SHARES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
_USUAL = [0.0, 0.5, 0.8, 0.9]
_BITS = (8, 6, 4, 3, 2)
_SHORT = {"float32": "float32", "dynamic": "int8 dynamic", "static": "int8 static"}
_LATER_MS = 500


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, chart and table, orders, activations; reruns by itself while something is measured."""
    about = "A grid prunes the model, stores it in fewer bits, and measures what is left on the same samples."
    dataset = measured_page.begun(model, dataset, "No grid without a measurement", about)
    if dataset is None:
        return
    with st.container(border=True, key="quantize_card"):
        request, job = _controls(model, dataset)
    _results(model, request, job)
    if is_language_model(model):
        with st.container(border=True, key="serving_card"):
            serving.card(model, dataset)
    below_left, below_right = st.columns([1.15, 1], gap="medium")
    with below_left, st.container(border=True, key="skip_card", height="stretch"):
        skipping = skipped.card(model, dataset)
    with below_right, st.container(border=True, key="order_card", height="stretch"):
        ordering = orders.card(model, dataset, request)
    if running.is_stale():
        st.rerun()
    if skipping or ordering or running.unfinished(job):
        ticker.tick("quantize", _LATER_MS)


def _results(model: LoadedModel, request: GridRequest, job: Job | None) -> None:
    """Chart and table side by side; before the first measurement what they will show, in words."""
    if job is None:
        n = n_points(request.shares, request.forms, request.recoveries)
        with st.container(border=True, key="grid_card"):
            st.header("Bytes against accuracy", anchor=False)
            st.caption(
                f"Measure the grid: each share pruned, in float32 and in {request.bits}-bit integers, {n} "
                "points. Of each one sees its bytes, counted or of a written file, and its accuracy, measured; and "
                "which points no other beats in both."
            )
        return
    left, right = st.columns([1.15, 1], gap="medium")
    with left, st.container(border=True, key="grid_card", height="stretch"):
        _chart(model, request, grids.points(job))
    with right, st.container(border=True, key="points_card", height="stretch"):
        _table(grids.points(job))


def _controls(model: LoadedModel, dataset: Dataset) -> tuple[GridRequest, Job | None]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="quantize_controls"):
        request = _request(dataset)
        job = tasks.find(model, dataset, request)
        progress.stop_button([job], "grid_stop")
        if job is None or job.state in ("failed", "cancelled"):
            again = job is not None and bool(job.results)
            label = "Measure again" if again else "Measure the grid"
            if st.button(label, icon=":material/play_arrow:", type="primary", key="grid_start"):
                tasks.submit(model, dataset, request)
                st.rerun()
    unit, by = request.spec.granularity.label, request.spec.criterion.label.lower()
    recovered = f" Tuned: {grids.EPOCHS} epochs with masks held." if len(request.recoveries) > 1 else ""
    st.caption(f"{unit} by {by}, as on Explore, globally over all layers; accuracy on the tune split.{recovered}")
    for refusal in (grids.why_no_runtime(), grids.why_no_training(dataset)):
        if refusal is not None:
            st.caption(f":material/info: {clean_markdown(refusal.reason, 300)}")
    if job is not None:
        progress.card(job, "grid", done=f"{job.total} points measured.")
    return request, job


def _request(dataset: Dataset) -> GridRequest:
    changed = remembered("grid_shares", _USUAL, _SHARES)
    shares = st.pills(
        "Pruned", _SHARES, format_func=lambda v: percent(v, 0), selection_mode="multi", key="grid_shares",
        on_change=changed, help="Each share is pruned from the dense model and stored in every format.",
    )  # fmt: skip
    changed = remembered("grid_bits", 8, _BITS)
    about = "Weights are rounded to so many bits, channel by channel, and the network runs on the rounded ones."
    bits = st.selectbox("Bits, simulated", _BITS, key="grid_bits", on_change=changed, width=150, help=about)
    untrained = grids.why_no_training(dataset) is not None
    changed = remembered("grid_recoveries", ["none"], RECOVERIES)
    recoveries = st.pills(
        "Before quantizing", RECOVERIES, format_func=RECOVERY_NAMES.__getitem__, selection_mode="multi",
        key="grid_recoveries", on_change=changed, disabled=untrained,
        help="What happens between pruning and rounding. Distilled: trained on the dense model's answers too.",
    )  # fmt: skip
    changed = remembered("grid_runtime", False)
    runtime = st.toggle(
        "ONNX Runtime", key="grid_runtime", on_change=changed, disabled=grids.why_no_runtime() is not None,
        help="Also real int8 files: dynamic (ranges of activations found for each input) and static (fixed beforehand "
        "on fit samples). Their bytes, accuracy and time are measured; some seconds for each.",
    )  # fmt: skip
    return GridRequest(
        grids.request(session.workspace().spec),
        tuple(sorted(shares)) or tuple(_USUAL),
        grids.forms(runtime and grids.why_no_runtime() is None),
        bits,
        tuple(h for h in RECOVERIES if h in recoveries and not untrained) or ("none",),
        grids.TRAINING,
    )


def _chart(model: LoadedModel, request: GridRequest, grid_points: list[GridPoint]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="grid_head"):
        st.header("Bytes against accuracy", anchor=False, width="stretch")
        if grid_points:
            stem = export_name(
                model.address, f"{request.bits}bit", *request.recoveries, "quantization", settings=[request.spec]
            )
            rows = [_row(p, p in pareto(grid_points)) for p in grid_points]
            st.download_button("CSV", csv_text(rows), f"{stem}.csv", "text/csv", key="grid_csv", on_click="ignore")
            text = json.dumps([_json(p) for p in grid_points], indent=1, allow_nan=False)
            st.download_button("JSON", text, f"{stem}.json", key="grid_json", on_click="ignore")
    chart.draw(quantization_grid(grid_points, theme=chart_theme()), "grid_chart")
    st.caption(
        "Filled: a file that was written, zeros included. Hollow: counted for the smallest way to store it "
        "(bit mask, sparse rows, removed units), which needs software that reads it."
    )


def _table(grid_points: list[GridPoint]) -> None:
    st.header("Every point", anchor=False)
    if not grid_points:
        st.caption("Each point becomes a row here.")
        return
    best = pareto(grid_points)
    rows = [_shown(p, p in best) for p in grid_points if not p.why_not]
    same = {"speed", "recovered"} if len({row["recovered"] for row in rows}) == 1 else {"speed"}
    dull = {name for name in same if len({row[name] for row in rows}) == 1}
    rows = [{name: text for name, text in row.items() if name not in dull} for row in rows]
    st.dataframe(rows, hide_index=True, height=min(430, 35 * len(rows) + 38), column_config=_columns(grid_points))
    st.caption("★: no other is both smaller and more accurate. The origin is that of the bytes.")
    for why in dict.fromkeys(f"{name_of(p)}: {p.why_not}" for p in grid_points if p.why_not):
        st.caption(f":material/info: {clean_markdown(why, 300)}")
    for note in dict.fromkeys(note for p in grid_points for note in p.notes):
        st.caption(clean_markdown(note, 300))
    if any(p.latency for p in grid_points):
        st.caption("Speed: time of the float ONNX file / time of this one, in turns here, batch 1, one thread.")
    judged = next((p.accuracy.name.replace("_", " ") for p in grid_points if p.accuracy), "accuracy").capitalize()
    chart.draw(quantization_heatmap(grid_points, theme=chart_theme()), "grid_heat")
    st.caption(
        f"{judged} by share and format; the stronger the colour, the worse. No colour: the interval covers zero."
    )


def _columns(grid_points: list[GridPoint]) -> JsonDict:
    """The columns, under the name of what was measured."""
    first = next((p for p in grid_points if p.accuracy is not None and p.drop is not None), None)
    if first is None or first.accuracy is None or first.drop is None or first.accuracy.name in FIRST_NAMES:
        return _COLUMNS
    name = first.accuracy.name.replace("_", " ")
    worse = "positive" if worse_is_up(first.drop) else "negative"
    return _COLUMNS | {
        "accuracy": _COLUMN.TextColumn(name[0].upper() + name[1:], width=90, help="On the tune split, measured."),
        "change": _COLUMN.TextColumn(named(name), width=100, help=f"Against the dense float model: {worse} is worse."),
    }


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "★": _COLUMN.TextColumn("★", width=30),
    "pruned": _COLUMN.TextColumn("Pruned", width=60),
    "format": _COLUMN.TextColumn("Format", width=112),
    "recovered": _COLUMN.TextColumn("Before", width=85),
    "bytes": _COLUMN.TextColumn("Bytes", width=70),
    "accuracy": _COLUMN.TextColumn("Accuracy", width=72, help="On the tune split, measured."),
    "change": _COLUMN.TextColumn(DELTA, width=80, help="Against the dense float model, measured: negative is worse."),
    "speed": _COLUMN.TextColumn("Speed", width=60),
    "origin": _COLUMN.TextColumn("Origin", width=68, help="Where the bytes come from."),
    "95 %": _COLUMN.TextColumn("95 %", width=95, help="The interval of the accuracy."),
}


def _shown(p: GridPoint, on_front: bool) -> dict[str, str]:
    """A row for people."""
    if p.size is None or p.accuracy is None or p.drop is None:
        return {}
    return {
        "★": "★" if on_front else "",
        "pruned": percent(p.sparsity, 0),
        "format": _SHORT.get(p.form, f"{p.number_format}, simulated"),
        "recovered": RECOVERY_NAMES[p.recovery],
        "bytes": bytes_text(p.size.value),
        "accuracy": level(p.accuracy),
        "change": delta_text(p.drop),
        "speed": f"{p.latency.ratio.value:.2f}×{' slower' * (p.latency.ratio.value < 1)}" if p.latency else "",
        "origin": p.size.origin,
        "95 %": interval(p.accuracy),
    }


def _row(p: GridPoint, on_front: bool) -> dict[str, object]:
    """A row for a spreadsheet: numbers in full."""
    time = p.latency
    return {
        "asked": p.asked,
        "sparsity": p.sparsity,
        "format": p.form,
        "bits": p.bits,
        "recovered": p.recovery,
        "bytes": p.size.value if p.size else None,
        "bytes_origin": p.size.origin if p.size else None,
        "accuracy": p.accuracy.value if p.accuracy else None,
        "low": p.accuracy.low if p.accuracy else None,
        "high": p.accuracy.high if p.accuracy else None,
        "n": p.accuracy.n if p.accuracy else None,
        "drop": p.drop.value if p.drop else None,
        "float_ms": time.dense.value if time else None,
        "ms": time.pruned.value if time else None,
        "on_front": on_front,
        "why_not": p.why_not,
    }


def _json(p: GridPoint) -> JsonDict:
    return dict(finite(p.to_json()))
