"""The sensitivity page: what each layer costs if it alone is pruned."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer.analysis.sensitivity.scan import LEVELS, MODES, Mode, Sensitivity, energy
from explorer.charts.sensitivity import energy_heatmap
from explorer.engine.jobs import Job
from explorer.errors import Refusal
from explorer.tasks.scan import ScanRequest
from explorer.text.names import clean_markdown
from explorer.text.numbers import points_spelled
from explorer.types import Dataset, LoadedModel, Scores
from explorer.ui.sensitivity import cards, duration, scans
from explorer.ui.shell import live, metric_chooser, running, session, tasks, ticker
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, progress
from explorer.ui.widgets.persistent_widget import remembered, value

_GRIDS: dict[str, tuple[float, ...]] = {
    "coarse": (0.25, 0.5, 0.75, 0.9),
    "usual": LEVELS,
    "fine": (*(round(0.05 * i, 2) for i in range(1, 20)), 0.97, 0.99),
}
_MODES: dict[Mode, str] = {
    "exact": "every sample in float32, with the same counts as a plain loop",
    "verified": "bfloat16 where it is faster; close calls and audited cells again in float32",
    "estimate": "samples until each drop is known to ±1 point",
}
_LEFT: dict[str, float | None] = {"never": None, "5 points": 0.05, "20 points": 0.2}
_LATER_MS = 500


@st.fragment
def draw(model: LoadedModel, dataset: Dataset | None) -> None:
    """Controls, heat map, curves, ranking, interaction; reruns by itself while a scan runs."""
    running.drawing()
    session.show_notices()
    why = live.why_not(model, dataset)
    scores = session.scores(model, dataset if why is None else None)  # a criterion that has nothing to see is replaced
    if why is not None or dataset is None:
        _without_data(model, scores, why or live.NO_DATA)
        return
    with st.container(border=True, key="scan_card"):
        request, job, measured = _controls(model, dataset)
    if measured.cells:
        whole = (job is not None and job.state == "done") or _n_missing(model, dataset, request, measured) == 0
        cards.draw(model, dataset, request, measured, is_whole=whole)
    else:
        with st.container(border=True, key="look_card"):
            st.header("What each layer costs alone", anchor=False)
            st.caption(
                "Scan prunes one layer at a time and measures what it costs: as a heat map, one curve for each layer, "
                "and a ranking. Until then, what the weights alone say:"
            )
            _quick_look(model, scores, request.levels)
    if running.is_stale():
        st.rerun()
    if running.unfinished(job):
        ticker.tick("scan", _LATER_MS)


def _without_data(model: LoadedModel, scores: Scores, why: Refusal) -> None:
    with st.container(border=True, key="scan_nothing_card"):
        st.header("No scan without a measurement", anchor=False)
        if not model.why_not_runnable:  # else it is said right above
            st.markdown(clean_markdown(str(why), 400))
        _quick_look(model, scores, LEVELS)


def _controls(model: LoadedModel, dataset: Dataset) -> tuple[ScanRequest, Job | None, Sensitivity]:
    """What is to be scanned and how, with its buttons; its job, and what is known of it."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="scan_controls"):
        request = _request(model, dataset)
        job = tasks.find(model, dataset, request)
        measured = scans.result(model, dataset, request, job)
        progress.stop_button([job], "scan_stop")
        is_over = job is not None and (job.active or job.state == "done")
        n_missing = 0 if is_over else _n_missing(model, dataset, request, measured)
        if n_missing:
            st.button(
                "Go on" if measured.cells else "Scan",
                icon=":material/play_arrow:",
                type="primary",
                key="scan_start",
                on_click=_start,
                args=(model, dataset, request),
            )
    unit, by = request.spec.granularity.label, request.spec.criterion.label.lower()
    st.caption(
        f"{unit} by {by}, as on Explore. {request.mode.capitalize()}: {_MODES[request.mode]}. "
        "Every cell prunes the dense model."
    )
    if n_missing:
        st.caption(duration.words(model, dataset, request, n_missing))
    if job is not None or measured.cells:
        _progress(job, measured, scans.size(model, dataset, request))
    return request, job, measured


def _request(model: LoadedModel, dataset: Dataset) -> ScanRequest:
    """The choices; at first those of the scan that this visitor asked for last."""
    spec = session.workspace().spec
    before = scans.latest(model, dataset, spec)
    keys = {"scan_grid": _named(_GRIDS, before.levels), "scan_mode": before.mode}
    keys["scan_left"] = _named(_LEFT, before.max_drop)
    metric = metric_chooser.chosen_metric()
    drops = [*_LEFT] if metric is None or metric.unit == "fraction" else [*_LEFT][:1]  # the others are in points
    options: dict[str, list[str]] = {"scan_grid": [*_GRIDS], "scan_mode": [*MODES], "scan_left": drops}
    changed = {key: remembered(key, default, options[key]) for key, default in keys.items()}
    st.segmented_control("Levels", list(_GRIDS), key="scan_grid", on_change=changed["scan_grid"])
    st.segmented_control("Mode", MODES, key="scan_mode", on_change=changed["scan_mode"])
    text = "The higher levels of a layer are left out once one has cost more than this: for large models."
    st.segmented_control(
        "Stop a layer early at a drop of", drops, key="scan_left", on_change=changed["scan_left"], help=text
    )
    grid, mode, left = (value(key, default, options[key]) for key, default in keys.items())
    return ScanRequest(spec, _GRIDS[grid], mode=mode, max_drop=_LEFT[left])


def _start(model: LoadedModel, dataset: Dataset, request: ScanRequest) -> None:
    tasks.submit(model, dataset, request)


def _named(among: Mapping[str, object], choice: object) -> str:
    return next((name for name, one in among.items() if one == choice), "usual")


def _n_missing(model: LoadedModel, dataset: Dataset, request: ScanRequest, measured: Sensitivity) -> int:
    return scans.size(model, dataset, request) - sum(cell.complete for cell in measured.cells)


def _progress(job: Job | None, measured: Sensitivity, total: int) -> None:
    n, audit = sum(cell.complete for cell in measured.cells), clean_markdown(measured.audit, 300)
    if job is None:
        st.caption(f"{n} of {total} cells, recorded by an earlier run. {audit}")
        return
    left = "" if n == total else f", {total - n} left out beyond {points_spelled(measured.max_drop or 0)}"
    origin = measured.cells[0].drop.origin if measured.cells else "measured"
    progress.card(job, "scan", done=f"{n} cells {origin}{left}. {audit}")


def _quick_look(model: LoadedModel, scores: Scores, levels: tuple[float, ...]) -> None:
    """Before a scan: what the weights alone say, in the place of the heat map, labelled as no measurement."""
    energies = energy(model, session.workspace().spec, levels, scores=scores)
    if not energies:
        st.caption("Nothing of this model can be pruned in these units; Explore says why for each layer.")
        return
    groups = list(dict.fromkeys(e.group for e in energies))
    figure = energy_heatmap(energies, groups, tuple(sorted(levels)), theme=chart_theme())
    chosen = chart.draw(figure, "energy_heat", on_select="rerun", selection_mode="points")
    cards.open_cell(chosen)
    st.caption(
        "Share of the squared weights that goes with so much of the layer: counted, no measure of accuracy. "
        "Click a cell to open that setting on Explore."
    )
