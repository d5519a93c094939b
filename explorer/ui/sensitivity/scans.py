"""What is known of a scan: from jobs that this server has begun, and from cells on disk."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from explorer.analysis.sensitivity.cell import MODES, Cell
from explorer.analysis.sensitivity.options import ScanOptions
from explorer.analysis.sensitivity.recording import ScanRecording, scan_about
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.tasks.scan import ScanRequest
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, running, session, tasks

# Up to this much arithmetic a scan runs by itself: a few seconds on one core.
_CHEAP_MACS = 4e11
_RECORDED = "_kept_cells"


def size(model: LoadedModel, dataset: Dataset, request: ScanRequest) -> int:
    """How many cells the scan has."""
    return request.size(tasks.context(model, dataset))


def latest(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> ScanRequest:
    """The scan that this visitor asked for last of these units by this criterion, also before a reload."""
    usual = ScanRequest(spec)
    return next((request for request, _ in reversed(_own(model, dataset, usual.spec))), usual)


def result(model: LoadedModel, dataset: Dataset, request: ScanRequest, job: Job | None) -> Sensitivity:
    """What is known of a scan: what its job has measured, before that what is recorded of it on disk."""
    if job is not None and job.results:
        return Sensitivity.of(job.results, request.max_drop)
    recorded = _recorded(model, dataset, request.spec) if request.max_drop is None else []
    return Sensitivity.of(cell for cell in recorded if cell.mode == request.mode and cell.level in request.levels)


def known(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> tuple[Sensitivity, Job | None]:
    """What is known for the strips of the explore page, and the job that is finding more, if any.

    Scans in every mode and at all levels count, those that are recorded on disk too; the most exact cell of a
    place is taken. A cheap scan begins by itself.
    """
    request = ScanRequest(spec)
    usual = tasks.find(model, dataset, request)
    if usual is None and _is_cheap(model, dataset, request):
        usual = tasks.submit(model, dataset, request, by_hand=False)
    jobs = [job for _, job in _own(model, dataset, request.spec)]
    if usual is not None and usual not in jobs:
        jobs.append(usual)  # another visitor began it
    cells = _most_exact_last(
        [*_recorded(model, dataset, request.spec), *(cell for job in jobs for cell in job.results)]
    )
    return Sensitivity.of(cells), next((job for job in jobs if running.unfinished(job)), None)


def _own(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> list[tuple[ScanRequest, Job]]:
    """The scans of these units by this criterion that this visitor asked for, oldest first."""
    return [(request, job) for request, job in tasks.mine(model, dataset, ScanRequest) if request.spec == spec]


def _most_exact_last(cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: (cell.complete, -MODES.index(cell.mode)))


def _is_cheap(model: LoadedModel, dataset: Dataset, request: ScanRequest) -> bool:
    table, n = cache.macs(model), len(dataset.splits["tune"])
    return table is not None and table.dense * n * size(model, dataset, request) <= _CHEAP_MACS


def _recorded(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> list[Cell]:
    """The cells on disk of all such scans, read once as long as nothing else is asked for."""
    metric = session.workspace().source.metric
    asked = (model.identity, dataset.digest, spec, metric)
    remembered: tuple[object, list[Cell]] | None = st.session_state.get(_RECORDED)
    if remembered is None or remembered[0] != asked:
        cells, n = tasks.context(model, dataset).cells, len(dataset.splits["tune"])
        scans = [scan_about(model, dataset, spec, ScanOptions(mode=mode), n=n, metric=metric) for mode in MODES]
        remembered = (asked, [cell for about in scans for cell in ScanRecording(cells, about).cells().values()])
        st.session_state[_RECORDED] = remembered
    return remembered[1]
