"""The trade-off curves behind the explore page: measured in the background, shown as they grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from explorer.analysis import tradeoff
from explorer.engine.jobs import Job
from explorer.pruning import allocation, criteria
from explorer.pruning.spec import PruneSpec
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, TradeOff, TradeOffPoint
from explorer.ui.shell import cache, recording, session

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
FINER = (1.1, 1.25, 1.75, 2.5)


def background(
    model: LoadedModel, dataset: Dataset, spec: PruneSpec, *, again: bool = False
) -> tuple[list[TradeOff], list[Job]]:
    """The three curves of this unit and criterion as far as they are measured, and their jobs.

    ``again`` begins those that this visitor stopped.
    """
    wanted = _wanted(spec)
    jobs = [job(model, dataset, label, request, again=again) for label, request in wanted]
    # A job may have been begun elsewhere under another title: the label is this page's own.
    curves = [TradeOff(label, tuple(j.results)) for (label, _), j in zip(wanted, jobs, strict=True) if j.results]
    return curves, jobs


def _wanted(spec: PruneSpec) -> list[tuple[str, PruneSpec]]:
    control = criteria.get("random")
    name = spec.criterion.label.lower()
    requests = [
        (f"{name}, global", replace(spec, allocation=allocation.get("global"), limits=())),
        (f"{name}, uniform", replace(spec, allocation=allocation.get("uniform"), limits=())),
    ]
    if spec.criterion.key != control.key:
        random = PruneSpec(spec.granularity, control, allocation.get("global"))
        requests.append(("random, the control", random))
    return requests


def key(model: LoadedModel, dataset: Dataset, request: PruneSpec) -> tuple[str, ...]:
    """Equal keys are one measurement, whichever page or visitor asks for it."""
    return ("curve", model.identity, dataset.digest, request.digest)


def job(model: LoadedModel, dataset: Dataset, label: str, request: PruneSpec, *, again: bool = False) -> Job:
    """The sweep of ``request`` at :func:`ratios`: running, done, or queued by this call; or how it failed.

    What this visitor stopped, here or in the header, stays stopped until it is asked for ``again``.
    """
    known = cache.jobs().find(key(model, dataset, request))
    if known is not None and not again and (known.state == "failed" or is_stopped(known)):
        # The page asks at every rerun: what fails at once would be begun again for ever.
        return known
    return cache.jobs().submit(
        key(model, dataset, request),
        session.owner(),
        f"curve of {model_name(model.address)}: {label}",
        lambda: recording.keeping(_points(model, dataset, request), model, dataset, "sweep"),
        len(ratios(request)),
    )


def _points(model: LoadedModel, dataset: Dataset, request: PruneSpec) -> Iterator[TradeOffPoint]:
    """The sweep itself. Data is looked at once for all curves of a criterion that looks at data."""
    return tradeoff.sweep(
        model,
        request,
        dataset,
        ratios=ratios(request),
        evaluator=cache.evaluator(model, dataset, dataset.splits["tune"]),
        scores=cache.scores(model, request, dataset) if request.criterion.needs else None,
    )


def ratios(request: PruneSpec) -> tuple[float, ...]:
    """Whole channels often end at a small ratio: there the steps are finer."""
    return RATIOS if request.granularity.key == "weight" else tuple(sorted({*RATIOS, *FINER}))


def is_stopped(known: Job) -> bool:
    """Whether this visitor ended the job before its time."""
    return known.state == "cancelled" and known.owner == session.owner()


def stop(jobs: Iterable[Job]) -> None:
    """End this visitor's own jobs; one that another visitor began goes on for them."""
    for known in own(jobs):
        known.cancel()


def own(jobs: Iterable[Job]) -> list[Job]:
    """Those jobs, waiting or running, that this visitor may stop."""
    return [known for known in jobs if known.active and known.owner == session.owner()]


def failure(jobs: list[Job]) -> str | None:
    """Why a curve is missing, in a sentence; None when none failed."""
    failed = next((job for job in jobs if job.state == "failed"), None)
    if failed is None:
        return None
    return f"The {failed.title} could not be measured: {failed.reason}"
