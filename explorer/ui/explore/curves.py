"""The trade-off curves behind the explore page: which are measured, and how finely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.engine.jobs import Job
from explorer.pruning import allocation, criteria
from explorer.pruning.classifier import classifier_of
from explorer.pruning.spec import Limit, PruneSpec
from explorer.tasks.sweep import SweepRequest
from explorer.types import Dataset, LoadedModel, TradeOff
from explorer.ui.shell import tasks

RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
FINER = (1.1, 1.25, 1.75, 2.5)


def background(
    model: LoadedModel, dataset: Dataset, spec: PruneSpec, *, again: bool = False
) -> tuple[list[TradeOff], list[Job]]:
    """The three curves of this unit and criterion as far as they are measured, and their jobs.

    ``again`` begins those that this visitor stopped.
    """
    requests = _requests(spec)
    jobs = [tasks.submitted(model, dataset, request, again=again) for request in requests]
    # A job may have been begun elsewhere under another title: the label is this page's own.
    pairs = zip(requests, jobs, strict=True)
    return [TradeOff(request.label, tuple(job.results)) for request, job in pairs if job.results], jobs


def held_in_words(model: LoadedModel, spec: PruneSpec) -> str:
    """What the curves hold still, so that they are compared with nothing else: locks, limits, and the classifier."""
    n = sum(limit != Limit() for _, limit in spec.limits)
    held = [f"your {n} held line{'s' * (n != 1)} stay{'s' * (n == 1)} so"] if n else []
    name = classifier_of(model)
    if name is not None and not spec.limit(name).locked:
        held.append(f"the classifier {name} is free")
    return f"In every curve {' and '.join(held)}." if held else ""


def request_of(label: str, spec: PruneSpec) -> SweepRequest:
    """The sweep of ``spec`` on this app's screens; whole channels often end at a small ratio: steps are finer there."""
    ratios: Sequence[float] = RATIOS if spec.granularity.key == "weight" else sorted({*RATIOS, *FINER})
    return SweepRequest(spec, tuple(ratios), label=label)


def _requests(spec: PruneSpec) -> list[SweepRequest]:
    control = criteria.get("random")
    name = spec.criterion.label.lower()
    requests = [
        request_of(f"{name}, global", replace(spec, allocation=allocation.get("global"))),
        request_of(f"{name}, uniform", replace(spec, allocation=allocation.get("uniform"))),
    ]
    if spec.criterion.key != control.key:
        random = PruneSpec(spec.granularity, control, allocation.get("global"), spec.limits, spec.then)
        requests.append(request_of("random, the control", random))
    return requests
