"""All recoveries of the open model: side by side on one chart, in one table, and what one takes away of each."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from explorer.charts import CONFIG
from explorer.charts.recovery import RunStages, runs_by_stage, together
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.export.weights import pruned_file
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.state import Progress, Recovered
from explorer.text.numbers import percent, times
from explorer.text.spreadsheet import file_stem
from explorer.types import Dataset, LoadedModel, Measurement
from explorer.ui.recover import jobs as recovery_jobs
from explorer.ui.shell import session
from explorer.ui.shell.theme import chart_theme

_STATES = {"queued": "waits", "running": "runs", "done": "done", "failed": "failed", "cancelled": "stopped"}


def draw(model: LoadedModel, dataset: Dataset) -> None:
    """The runs of this visitor on this model and these data."""
    jobs = recovery_jobs.of(model, dataset)
    st.markdown("**Runs side by side**")
    if not jobs:
        st.caption("Every run is kept here: as pruned, after the refresh and after training, against one another.")
        return
    left, right = st.columns(2, gap="medium")
    found = [(job, recovery_jobs.result(job)) for job in jobs]
    with left:
        done = [_stages(job, r, model) for job, r in found if r is not None]
        dense = next((r.dense.value for _, r in found if r is not None and r.dense is not None), None)
        figure = runs_by_stage(done, dense=dense, theme=chart_theme())
        st.plotly_chart(figure, key="runs_by_stage", theme=None, config=CONFIG)
        st.caption("Joined dots are one run. Dashed: the dense model. Measured on tune.")
    with right:
        stories = [(recovery_jobs.label(job, model), _history(job)) for job in jobs]
        st.plotly_chart(together(stories, theme=chart_theme()), key="together", theme=None, config=CONFIG)
        st.caption("Accuracy on tune over the epochs that each run trained.")
    _table(found, model, dataset)


def _history(job: Job) -> list[Progress]:
    return [p for p in job.results if isinstance(p, Progress) and p.complete and p.recovered is None]


def _stages(job: Job, found: Recovered, model: LoadedModel) -> RunStages:
    return RunStages(
        recovery_jobs.label(job, model), _ratio(found, model), (found.as_pruned, found.refreshed, found.tuned)
    )


def _ratio(found: Recovered, model: LoadedModel) -> float:
    """All parameters of the open model / those that are left; a narrower dense network has its own."""
    left = found.model.n_parameters
    if found.plan is not None:
        left -= sum(int(mask.numel() - mask.sum()) for mask in found.plan.masks.values())
    return model.n_parameters / max(1, left)


def _table(found: list[tuple[Job, Recovered | None]], model: LoadedModel, dataset: Dataset) -> None:
    rows = [_row(job, recovered, model) for job, recovered in found]
    chosen = st.dataframe(
        rows,
        hide_index=True,
        key="runs_table",
        on_select="rerun",
        selection_mode="single-row",
        height=min(320, 38 + 35 * len(rows)),
        column_config=_COLUMNS,
    )
    picked = chosen.selection.rows
    recovered = found[picked[0]][1] if picked and picked[0] < len(found) else None
    with st.container(horizontal=True, vertical_alignment="center", key="run_buttons"):
        if recovered is None:
            st.caption("Choose a finished row to take it away or to go on with it.")
        else:
            _take_away(recovered, model)


def _row(job: Job, found: Recovered | None, model: LoadedModel) -> dict[str, object]:
    def text(m: Measurement | None) -> str:
        return "" if m is None else percent(m.value)

    return {
        "run": recovery_jobs.label(job, model),
        "state": _STATES[job.state],
        "smaller": "" if found is None else times(_ratio(found, model)),
        "epochs": None if found is None else found.state.epochs,
        "as pruned": "" if found is None else text(found.as_pruned),
        "refreshed": "" if found is None else text(found.refreshed),
        "trained": "" if found is None else text(found.tuned),
        "revived": None if found is None else found.n_revived,
    }


_COLUMN = st.column_config
_COLUMNS: dict[str, Any] = {
    "run": _COLUMN.TextColumn("Run", width="large"),
    "state": _COLUMN.TextColumn("State"),
    "smaller": _COLUMN.TextColumn("Smaller", help="Compression ratio in parameters of the whole model, counted."),
    "epochs": _COLUMN.NumberColumn("Epochs"),
    "as pruned": _COLUMN.TextColumn("As pruned", help="Accuracy on the tune split, measured."),
    "refreshed": _COLUMN.TextColumn("Refreshed", help="Accuracy after the batch norms were refreshed, measured."),
    "trained": _COLUMN.TextColumn("Trained", help="Accuracy of the best epoch, measured."),
    "revived": _COLUMN.NumberColumn("Came back", help="Pruned weights that are not exactly zero, counted."),
}


def _take_away(found: Recovered, model: LoadedModel) -> None:
    stem = f"{file_stem(model.address)}-recovered"
    st.download_button(
        "Weights",
        lambda: recovered_file(found),
        f"{stem}.safetensors",
        icon=":material/download:",
        key="run_weights",
        on_click="ignore",
        help="Safetensors with the pruned weights at exactly zero; load it with the same architecture.",
    )
    protocol = json.dumps(dict(found.protocol), indent=1)
    st.download_button("Protocol", protocol, f"{stem}.json", key="run_protocol", on_click="ignore")
    if st.button("Open on Explore", icon=":material/tune:", key="run_open"):
        _open(found, model, f"{stem}.safetensors")


def recovered_file(found: Recovered) -> bytes:
    """The recovered network as a safetensors file."""
    plan = found.plan if found.plan is not None else make_plan(found.model, PruneSpec())
    return pruned_file(found.model, plan)


def _open(found: Recovered, model: LoadedModel, name: str) -> None:
    work = session.workspace()
    address = session.keep_upload(name, recovered_file(found))
    try:
        session.choose(work, model=address, arch=model.meta.get("arch"), data=work.source.data or model.data)
    except ExplorerError as error:
        session.notify(error)
        return
    st.switch_page("pages/explore.py")
