"""Sensitivity scans as background jobs: begun once, found again by everybody who looks, and kept on disk."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import streamlit as st

from explorer.analysis.sensitivity.recording import KeptScan, scan_about
from explorer.analysis.sensitivity.scan import LEVELS, MODES, Cell, Lenient, Mode, Sensitivity, scan, scan_size
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.text.names import model_name
from explorer.types import Dataset, Evaluation, LoadedModel
from explorer.ui.shell import cache, running, session

# Up to this much arithmetic a scan runs by itself: a few seconds on one core.
_CHEAP_MACS = 4e11
_KEPT = "_kept_cells"


@dataclass(frozen=True)
class Wanted:
    """One scan: what is pruned how, at which levels, how exactly it is measured, and when a layer is left."""

    spec: PruneSpec
    levels: tuple[float, ...] = LEVELS
    mode: Mode = "exact"
    max_drop: float | None = None


def find(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job | None:
    """The scan's job, if this server has begun it."""
    return cache.jobs().find(_key(model, dataset, wanted))


def start(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job:
    """Begin the scan, or find it; cells measured before, even by an earlier server, are not measured again."""
    return cache.jobs().submit(
        _key(model, dataset, wanted),
        session.owner(),
        f"sensitivity of {model_name(model.address)}",
        lambda: _work(model, dataset, wanted),
        size(model, dataset, wanted),
    )


def size(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> int:
    """How many cells the scan has."""
    scores = cache.scores(model, wanted.spec, dataset)
    return scan_size(model, levels=wanted.levels, scores=scores)


def latest(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> Wanted | None:
    """The scan that this visitor asked for last, of the same units by the same criterion; also before a reload."""
    found = _own(model, dataset, spec)
    return Wanted(spec, *found[-1].key[-3:]) if found else None  # type: ignore[index]


def result(model: LoadedModel, dataset: Dataset, wanted: Wanted, job: Job | None) -> Sensitivity:
    """What is known of a scan: what its job has found, before that what is kept of it on disk."""
    if job is not None and job.results:
        return Sensitivity.of(_cells(job), wanted.max_drop)
    kept = _kept(model, dataset, wanted.spec) if wanted.max_drop is None else []
    return Sensitivity.of(cell for cell in kept if cell.mode == wanted.mode and cell.level in wanted.levels)


def known(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> tuple[Sensitivity, Job | None]:
    """What is known for the strips of the explore page, and the job that is finding more, if any.

    Scans in every mode and at all levels count, those that are kept on disk too; the most exact cell of a
    place is taken. A cheap scan begins by itself.
    """
    usual = find(model, dataset, Wanted(spec))
    if usual is None and _is_cheap(model, dataset, Wanted(spec)):
        usual = start(model, dataset, Wanted(spec))
    jobs = _own(model, dataset, spec)
    if usual is not None and usual not in jobs:
        jobs.append(usual)  # another visitor began it
    cells = [*_kept(model, dataset, spec), *(cell for job in jobs for cell in _cells(job))]
    cells.sort(key=lambda cell: (cell.complete, -MODES.index(cell.mode)))
    return Sensitivity.of(cells), next((job for job in jobs if running.unfinished(job)), None)


def _key(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> tuple[Hashable, ...]:
    return (*_of(model, dataset, wanted.spec), wanted.levels, wanted.mode, wanted.max_drop)


def _of(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> tuple[Hashable, ...]:
    request = spec.to_json()
    return ("scan", model.identity, dataset.digest, str(request["granularity"]), str(request["criterion"]))


def _own(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> list[Job]:
    """The jobs of such scans that this visitor asked for, oldest first."""
    wanted = _of(model, dataset, spec)
    jobs = cache.jobs().of(session.owner())
    return [job for job in jobs if isinstance(job.key, tuple) and job.key[: len(wanted)] == wanted]


def _cells(job: Job) -> list[Cell]:
    return [found for found in job.results if isinstance(found, Cell)]


def _work(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Iterator[Evaluation | Cell]:
    judge = cache.evaluator(model, dataset, dataset.splits["tune"])
    # The dense model first, batch by batch: the job can be stopped between any two.
    yield from (found for found in judge.run() if not found.complete)
    yield from scan(
        model,
        dataset,
        wanted.spec,
        levels=wanted.levels,
        mode=wanted.mode,
        max_drop=wanted.max_drop,
        keep=Lenient(cache.store()),
        evaluator=judge,
        scores=cache.scores(model, wanted.spec, dataset),
    )


def _is_cheap(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> bool:
    table = cache.macs(model)
    return table is not None and table.dense * len(dataset.splits["tune"]) * size(model, dataset, wanted) <= _CHEAP_MACS


def _kept(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> list[Cell]:
    """The cells on disk of all such scans, read once as long as nothing else is asked for."""
    wanted = _of(model, dataset, spec)
    known: tuple[object, list[Cell]] | None = st.session_state.get(_KEPT)
    if known is None or known[0] != wanted:
        store, n = Lenient(cache.store()), len(dataset.splits["tune"])
        scans = [scan_about(model, dataset, spec, mode=mode, split="tune", n=n) for mode in MODES]
        cells = [cell for about in scans for cell in KeptScan(store, about).cells().values()]
        known = st.session_state[_KEPT] = (wanted, cells)
    return known[1]
