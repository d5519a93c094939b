"""Searches under a budget as background jobs: a scan first, then the plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.analysis.search.search import Question, SearchResult, Tried, search
from explorer.analysis.sensitivity.cell import Cell, Lenient
from explorer.analysis.sensitivity.scan import scan, scan_size
from explorer.engine.jobs import Job
from explorer.pruning.spec import PruneSpec
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, recording, session


@dataclass(frozen=True)
class Wanted:
    """One search: what is pruned how, what is asked, and how many plans are tried."""

    spec: PruneSpec
    question: Question
    n_plans: int

    @property
    def key(self) -> tuple[str, ...]:
        request = self.spec.to_json()
        parts = (request["granularity"], request["criterion"], request["limits"], self.question, self.n_plans)
        return tuple(map(str, parts))


def find(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job | None:
    """The search's job, if this server has begun it."""
    return cache.jobs().find(_key(model, dataset, wanted))


def start(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job:
    """Begin the search, or find it. Cells that a scan measured before are read, not measured again."""
    n_cells = scan_size(model, wanted.spec, dataset)
    return cache.jobs().submit(
        _key(model, dataset, wanted),
        session.owner(),
        f"search in {model_name(model.address)} for {wanted.question}",
        lambda: _work(model, dataset, wanted),
        n_cells + wanted.n_plans,
    )


def result(job: Job | None) -> SearchResult | None:
    """What a search has tried so far; None before its first plan."""
    return SearchResult.of(r for r in job.results if isinstance(r, Tried)) if job is not None else None


def n_scanned(job: Job) -> int:
    """How many finished cells of the scan there are."""
    return sum(isinstance(r, Cell) and r.complete for r in job.results)


def _key(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> tuple[str, ...]:
    return ("search", model.identity, dataset.digest, *wanted.key)


def _work(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Iterator[Cell | Tried]:
    judge = cache.evaluator(model, dataset, dataset.splits["tune"])
    cells: list[Cell] = []
    for cell in scan(model, dataset, wanted.spec, keep=Lenient(cache.store()), evaluator=judge):
        cells.append(cell)
        yield cell
    plans = search(
        model, dataset, wanted.spec, budget=wanted.question, cells=cells, evaluator=judge, evaluations=wanted.n_plans
    )
    for tried in plans:
        recording.keep_quietly(tried.point, model, dataset, "search")
        yield tried
