"""All recoveries of the open model: side by side on one chart, in one table, and what one takes away of each."""

from __future__ import annotations

import json

import streamlit as st

from explorer.charts.recovery import RunStages, runs_by_stage, together
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.export.naming import export_name
from explorer.export.weights import pruned_file
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.state import Recovered, RecoveryProgress
from explorer.tasks.recovery import RecoveryRequest
from explorer.text.delta import DELTA, delta_with_ends
from explorer.text.numbers import count, level, times
from explorer.types import Dataset, LoadedModel, Measurement
from explorer.types.aliases import JsonDict
from explorer.ui.recover import jobs as recovery_jobs
from explorer.ui.shell import session
from explorer.ui.shell.theme import chart_theme
from explorer.ui.widgets import chart, table

_STATES = {"queued": "waits", "running": "runs", "done": "done", "failed": "failed", "cancelled": "stopped"}


def draw(model: LoadedModel, dataset: Dataset) -> None:
    """The runs of this visitor on this model and these data."""
    runs = recovery_jobs.of(model, dataset)
    st.header("Runs side by side", anchor=False)
    if not runs:
        st.caption("Every run is listed here: as pruned, after the refresh and after training, against one another.")
        return
    left, right = st.columns(2, gap="medium")
    ended = [(request.name, recovered) for request, job in runs if (recovered := recovery_jobs.result(job)) is not None]
    with left:
        done = [_stages(name, recovered, model) for name, recovered in ended]
        dense = next((recovered.dense.value for _, recovered in ended if recovered.dense is not None), None)
        figure = runs_by_stage(done, dense=dense, theme=chart_theme())
        chart.draw(figure, "runs_by_stage")
        st.caption("A row is one run, with its compression ratio. Dotted: the dense model. Measured on tune.")
    with right:
        stories = [(request.name, _history(job)) for request, job in runs]
        chart.draw(together(stories, theme=chart_theme()), "together")
        st.caption("Accuracy on tune over the epochs that each run trained.")
    _table(runs, model)


def _history(job: Job) -> list[RecoveryProgress]:
    return [p for p in job.results if isinstance(p, RecoveryProgress) and p.complete]


def _stages(name: str, recovered: Recovered, model: LoadedModel) -> RunStages:
    accuracies = (recovered.as_pruned, recovered.refreshed, recovered.tuned)
    return RunStages(name, _ratio(recovered, model), accuracies)


def _ratio(recovered: Recovered, model: LoadedModel) -> float:
    """All parameters of the open model / those that are left; a narrower dense network has its own."""
    left = recovered.model.n_parameters
    if recovered.plan is not None:
        left -= sum(int(mask.numel() - mask.sum()) for mask in recovered.plan.masks.values())
    return model.n_parameters / max(1, left)


def drop_at(accuracy: Measurement | None, recovered: Recovered) -> Measurement | None:
    """The paired drop that was measured with an accuracy of this run; None for the dense model's own."""
    return next((p.drop for p in recovered.history if p.accuracy is not None and p.accuracy == accuracy), None)


def _table(runs: list[tuple[RecoveryRequest, Job]], model: LoadedModel) -> None:
    rows = [_row(request.name, job, model) for request, job in runs]
    height = min(320, 38 + 35 * len(rows))
    options = {"key": "runs_table", "on_select": "rerun", "selection_mode": "single-row", "height": height}
    chosen = table.draw(rows, _COLUMNS, _TEXTS, **options)
    picked = chosen.selection.rows
    request, job = runs[picked[0]] if picked and picked[0] < len(runs) else (None, None)
    recovered = recovery_jobs.result(job)
    with st.container(horizontal=True, vertical_alignment="center", key="run_buttons"):
        if recovered is None or request is None:
            st.caption("Choose a finished row to take it away or to go on with it.")
        else:
            _take_away(recovered, model, request.name)


def _row(name: str, job: Job, model: LoadedModel) -> dict[str, object]:
    row: dict[str, object] = {"run": name, "state": _STATES[job.state]}
    recovered = recovery_jobs.result(job)
    if recovered is None:
        return {**row, "smaller": "", "epochs": None, "as pruned": "", "refreshed": "", "trained": "", "revived": None}

    def text(m: Measurement | None) -> str:
        return "" if m is None else level(m)

    return {
        **row,
        "smaller": times(_ratio(recovered, model)),
        "epochs": recovered.state.epochs,
        "as pruned": text(recovered.as_pruned),
        "refreshed": text(recovered.refreshed),
        "trained": text(recovered.tuned),
        "change": "" if (drop := drop_at(recovered.tuned, recovered)) is None else delta_with_ends(drop),
        "revived": recovered.n_revived,
    }


_COLUMN = st.column_config
_COLUMNS: JsonDict = {
    "run": _COLUMN.TextColumn("Run", width="large"),
    "state": _COLUMN.TextColumn("State"),
    "smaller": _COLUMN.TextColumn("Smaller", help="Compression ratio in parameters of the whole model, counted."),
    "epochs": _COLUMN.NumberColumn("Epochs"),
    "as pruned": _COLUMN.TextColumn("As pruned", help="Accuracy on the tune split, measured."),
    "refreshed": _COLUMN.TextColumn("Refreshed", help="Accuracy after the batch norms were refreshed, measured."),
    "trained": _COLUMN.TextColumn("Trained", help="Accuracy of the best epoch, measured."),
    "change": _COLUMN.TextColumn(DELTA, help="Trained minus dense on the same samples, measured: negative is worse."),
    "revived": _COLUMN.NumberColumn("Came back", help="Pruned weights that are not exactly zero, counted."),
}
_TEXTS: table.Texts = {"epochs": count, "revived": count}


def _take_away(recovered: Recovered, model: LoadedModel, run: str) -> None:
    stem = export_name(model.address, run, "recovered")
    st.download_button(
        "Weights",
        lambda: recovered_file(recovered),
        f"{stem}.safetensors",
        icon=":material/download:",
        key="run_weights",
        on_click="ignore",
        help="Safetensors with the pruned weights at exactly zero; load it with the same architecture.",
    )
    protocol = json.dumps(dict(recovered.protocol), indent=1)
    st.download_button("Protocol", protocol, f"{stem}.json", key="run_protocol", on_click="ignore")
    if st.button("Open on Explore", icon=":material/tune:", key="run_open"):
        _open(recovered, model, f"{stem}.safetensors")


def recovered_file(recovered: Recovered) -> bytes:
    """The recovered network as a safetensors file."""
    plan = recovered.plan if recovered.plan is not None else make_plan(recovered.model, PruneSpec())
    return pruned_file(recovered.model, plan, dict(recovered.protocol))


def _open(recovered: Recovered, model: LoadedModel, name: str) -> None:
    work = session.workspace()
    address = session.hold_upload(name, recovered_file(recovered))
    try:
        session.choose(work, model=address, arch=model.meta.get("arch"), data=work.source.data or model.data)
    except ExplorerError as error:
        session.notify(error)
        return
    st.switch_page("pages/explore.py")
