"""Sensitivity scans as background jobs: begun once, found again by everybody who looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.analysis.sensitivity import LEVELS, Cell, Mode, Sensitivity, scan, scan_key, scan_size
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel
from explorer.ui import cache, session
from explorer.ui.text import model_name

# Up to this much arithmetic a scan runs by itself: a few seconds on one core.
_CHEAP_MACS = 4e11


@dataclass(frozen=True)
class Wanted:
    """One scan: what is pruned how, at which levels, and how exactly it is measured."""

    spec: PruneSpec
    levels: tuple[float, ...] = LEVELS
    mode: Mode = "exact"

    @property
    def key(self) -> tuple[str, ...]:
        request = self.spec.to_json()
        return (str(request["granularity"]), str(request["criterion"]), str(self.levels), self.mode)


def find(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job | None:
    """The scan's job, if this server has begun it."""
    return cache.jobs().find(_key(model, dataset, wanted))


def start(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job:
    """Begin the scan, or find it; cells measured before, even by an earlier server, are not measured again."""
    return cache.jobs().submit(
        _key(model, dataset, wanted),
        session.owner(),
        f"sensitivity of {model_name(model.address)}",
        lambda: _cells(model, dataset, wanted),
        scan_size(model, wanted.spec, dataset, levels=wanted.levels),
    )


def _key(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> tuple[str, ...]:
    return ("scan", model.identity, dataset.digest, *wanted.key)


def _cells(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Iterator[Cell]:
    evaluator = cache.evaluator(model, dataset, dataset.splits["tune"])
    yield from scan(
        model, dataset, wanted.spec, levels=wanted.levels, mode=wanted.mode, keep=cache.store(), evaluator=evaluator
    )


def result(job: Job | None) -> Sensitivity:
    """What a scan has found so far; empty before it began."""
    return Sensitivity.of(job.results if job is not None else ())


def known(model: LoadedModel, dataset: Dataset, spec: PruneSpec) -> tuple[Sensitivity, Job | None]:
    """What is known for the strips of the explore page; a cheap scan begins by itself."""
    wanted = Wanted(spec)
    job = find(model, dataset, wanted)
    if job is None and (_is_cheap(model, dataset, wanted) or _kept(model, dataset, wanted)):
        job = start(model, dataset, wanted)
    return result(job), job


def _is_cheap(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> bool:
    table = cache.macs(model)
    n_cells = scan_size(model, wanted.spec, dataset, levels=wanted.levels)
    return table is not None and table.dense * len(dataset.splits["tune"]) * n_cells <= _CHEAP_MACS


def _kept(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> bool:
    """Whether the whole scan is on disk, so that starting it is only reading."""
    n = len(dataset.splits["tune"])
    key = scan_key(model, dataset, wanted.spec, mode=wanted.mode, split="tune", n=n)
    return len(cache.store().cells(key)) >= scan_size(model, wanted.spec, dataset, levels=wanted.levels)
