"""Requested work in the background: the one place that submits it, finds it again, stops it and takes it up again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import Job
from explorer.metrics.macs import MacTable
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import AnyRequest
from explorer.tasks.context import Context
from explorer.tasks.running import results
from explorer.types import Dataset, LoadedModel, Scores
from explorer.ui.shell import cache, session

T = TypeVar("T", bound=AnyRequest)


class CachedContext(Context):
    """A context whose evaluator, scores and counts are those of the server's caches, shared by all visitors."""

    @cached_property
    def evaluator(self) -> Evaluator:
        """The one evaluator of this model on its tune split, by the metric that was chosen."""
        return cache.evaluator(self.model, self.dataset, self.dataset.splits["tune"], self.metric_key)

    @cached_property
    def plain_evaluator(self) -> Evaluator:
        """The same by the task's own first metric."""
        return cache.evaluator(self.model, self.dataset, self.dataset.splits["tune"])

    @cached_property
    def macs(self) -> MacTable | None:
        """How often each weight is multiplied."""
        return cache.macs(self.model)

    def scores(self, spec: PruneSpec) -> Scores:
        """The scores of this unit and criterion."""
        return cache.scores(self.model, spec, self.dataset)


@dataclass(frozen=True)
class JobKey:
    """What a job works at; equal ``digest`` = the same work, whichever page or visitor asks for it."""

    digest: str
    request: AnyRequest = field(compare=False)
    model: str = field(compare=False)
    data: str = field(compare=False)
    metric: str | None = field(compare=False, default=None)


def context(model: LoadedModel, dataset: Dataset, opened: Sequence[LoadedModel] = ()) -> Context:
    """What a request works with on this server; ``opened`` are further models that it names.

    A store that refuses is said at the next drag, not in a job.
    """
    store = cache.store()
    folder = Path(store.path).parent
    return CachedContext(
        model,
        dataset,
        store=store,
        folder=folder,
        checkpoints=folder / "recoveries",
        is_cache=True,
        opened={other.address: other for other in opened},
        metric=session.workspace().source.metric,
    )


def find(
    model: LoadedModel, dataset: Dataset, request: AnyRequest, *, opened: Sequence[LoadedModel] = ()
) -> Job | None:
    """The job of this request, if this server has begun it."""
    return cache.jobs().find(_key(request, context(model, dataset, opened)))


def submit(
    model: LoadedModel,
    dataset: Dataset,
    request: AnyRequest,
    *,
    by_hand: bool = True,
    opened: Sequence[LoadedModel] = (),
) -> Job:
    """Begin the work, or find who began it; one that failed or was stopped goes on from what was recorded of it.

    What was asked for ``by_hand`` is served before what a page begins by itself.
    """
    here = context(model, dataset, opened)
    return cache.jobs().submit(
        _key(request, here), session.owner(), request.title(here), lambda: results(request, here), request.size(here),
        by_hand=by_hand,
    )  # fmt: skip


def measured_once(key: Hashable, title: str, make: Callable[[], Iterator[object]]) -> Job:
    """The job of something that the shell itself wants to show; begun by the first one who looks."""
    return cache.jobs().submit(key, session.owner(), title, make, 1, by_hand=False)


def submitted(model: LoadedModel, dataset: Dataset, request: AnyRequest, *, again: bool = False) -> Job:
    """The job of work that begins by itself, for pages that ask at every rerun.

    What failed, or was stopped by this visitor, is begun ``again`` only when that is asked for.
    """
    job = find(model, dataset, request)
    if job is not None and not again and (job.state == "failed" or is_stopped(job)):
        return job
    return submit(model, dataset, request, by_hand=again)


def mine(model: LoadedModel, dataset: Dataset, kind: type[T]) -> list[tuple[T, Job]]:
    """The requests of this kind that this visitor has made here, with their jobs, oldest first."""
    jobs = [(job.key, job) for job in cache.jobs().of(session.owner())]
    metric = session.workspace().source.metric
    return [
        (key.request, job)
        for key, job in jobs
        if isinstance(key, JobKey) and isinstance(key.request, kind)
        if (key.model, key.data, key.metric) == (model.identity, dataset.digest, metric)
    ]


def is_stopped(job: Job) -> bool:
    """Whether this visitor ended the job before its time."""
    return job.state == "cancelled" and job.owner == session.owner()


def own(jobs: Iterable[Job | None]) -> list[Job]:
    """Those jobs, waiting or running, that this visitor began and so may stop."""
    return [job for job in jobs if job is not None and job.active and job.owner == session.owner()]


def stop(jobs: Iterable[Job | None]) -> None:
    """End this visitor's own jobs; one that another visitor began goes on for them."""
    for job in own(jobs):
        job.cancel()


def failure(jobs: Iterable[Job]) -> str | None:
    """Why a result is missing, in a sentence; None when none failed."""
    failed = next((job for job in jobs if job.state == "failed"), None)
    return None if failed is None else f"The {failed.title} could not be measured: {failed.reason}"


def doing(job: Job) -> str:
    """What a job came to last, in a few words; empty before its first result."""
    last = job.results[-1] if job.results else None
    return job.key.request.describe(last) if last is not None and isinstance(job.key, JobKey) else ""


def waiting_behind(job: Job) -> str:
    """ "waiting, place 2, behind curve of digits-cnn and work of another visitor", which is not named."""
    ahead = cache.jobs().ahead(job)
    if not ahead:
        return "waiting for its turn"
    me = session.owner()
    titles = [other.title if me in other.followers else "work of another visitor" for other in ahead]
    names = ", ".join(list(dict.fromkeys(titles))[:2])
    more = len(ahead) - 2
    return f"waiting, place {len(ahead)}, behind {names}" + (f" and {more} more" if more > 0 else "")


def _key(request: AnyRequest, here: Context) -> JobKey:
    return JobKey(request.key(here), request, here.model.identity, here.dataset.digest, here.metric_key)
