"""Recoveries as background jobs: what is special about them is how much memory their results take."""

from __future__ import annotations

from explorer.engine.jobs import Job
from explorer.errors import Refusal
from explorer.recovery.state import Recovered
from explorer.recovery.training import Training, why_not_trained
from explorer.tasks.recovery import RecoveryOutcome, RecoveryRequest
from explorer.types import Dataset, LoadedModel
from explorer.ui.shell import cache, tasks

_MOST_BYTES = 512_000_000


def why_not(model: LoadedModel, dataset: Dataset | None) -> Refusal | None:
    """Why nothing can be trained here; None where it can."""
    if dataset is None:
        return Refusal("There is no data to train on.")
    refusal = why_not_trained(Training(), dataset)
    # What to do about it is said for the command line.
    return None if refusal is None else Refusal(refusal.what, refusal.why)


def start(model: LoadedModel, dataset: Dataset, request: RecoveryRequest) -> Job:
    """Begin the run, or go on after the last epoch that is on disk."""
    _make_room()
    return tasks.submit(model, dataset, request)


def _make_room() -> None:
    """Let go of the networks that were recovered first: what is held in memory stays below a bound.

    Their points stay in the store, and a run that is begun again reads its epochs from disk.
    """
    left = _MOST_BYTES
    for job in reversed(cache.jobs().ended()):
        recovered = result(job)
        if recovered is None:
            continue
        left -= n_bytes(recovered)
        if left < 0:
            cache.jobs().drop(job)


def n_bytes(recovered: Recovered) -> int:
    """What a recovered network holds in memory: its weights, and a byte for each entry of its masks."""
    masks = recovered.plan.masks.values() if recovered.plan is not None else ()
    return sum(tensor.numel() * tensor.element_size() for tensor in [*recovered.model.weights.values(), *masks])


def of(model: LoadedModel, dataset: Dataset) -> list[tuple[RecoveryRequest, Job]]:
    """This visitor's runs of this model on this data, oldest first."""
    return tasks.mine(model, dataset, RecoveryRequest)


def result(job: Job | None) -> Recovered | None:
    """What a finished run came to."""
    last = job.results[-1] if job is not None and job.results else None
    return last.recovered if isinstance(last, RecoveryOutcome) else None
