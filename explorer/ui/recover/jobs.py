"""Recoveries as background jobs: begun once, resumed from disk, found again by everybody who looks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from explorer.analysis import tradeoff
from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import Job
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.recovery.checkpoints import make_room
from explorer.recovery.recipe import recover
from explorer.recovery.state import Progress, Recovered, measured
from explorer.recovery.training import Training, why_not_trained
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel
from explorer.ui.recover.plans import Run
from explorer.ui.shell import cache, recording, session

_MOST_BYTES = 512_000_000


def why_not(model: LoadedModel, dataset: Dataset | None) -> str | None:
    """Why nothing can be trained here, in a sentence; None where it can."""
    if dataset is None:
        return "There is no data to train on."
    refusal = why_not_trained(Training(), dataset)
    return None if refusal is None else " ".join(part for part in (refusal.what, refusal.why) if part)


def find(model: LoadedModel, dataset: Dataset, run: Run) -> Job | None:
    """The run's job, if this server has begun it."""
    return cache.jobs().find(_key(model, dataset, run))


def start(model: LoadedModel, dataset: Dataset, run: Run) -> Job:
    """Begin the run, or go on after the last epoch that is on disk."""
    _make_room()
    return cache.jobs().submit(
        _key(model, dataset, run),
        session.owner(),
        f"{_title(model)}{run.label}",
        lambda: _progress(model, dataset, run),
        run.recipe.n_stages,
    )


def _make_room() -> None:
    """Let go of the networks that were recovered first: what is kept in memory stays below a bound.

    Their points stay in the store, and a run that is begun again reads its epochs from disk.
    """
    left = _MOST_BYTES
    for job in reversed(cache.jobs().ended("recover")):
        found = result(job)
        left -= n_bytes(found) if found is not None else 0
        if left < 0:
            cache.jobs().drop(job)


def n_bytes(found: Recovered) -> int:
    """What a recovered network holds in memory: its weights, and a byte for each entry of its masks."""
    tensors = [*found.model.weights.values(), *(found.plan.masks.values() if found.plan is not None else ())]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def label(job: Job, model: LoadedModel) -> str:
    """The name of a run among others of the same model."""
    return job.title.removeprefix(_title(model))


def _title(model: LoadedModel) -> str:
    return f"recovery of {model_name(model.address)}: "


def of(model: LoadedModel, dataset: Dataset) -> list[Job]:
    """This visitor's runs of this model on this data, oldest first."""
    mine = cache.jobs().of(session.owner())
    return [j for j in mine if isinstance(j.key, tuple) and j.key[:3] == ("recover", model.identity, dataset.digest)]


def result(job: Job | None) -> Recovered | None:
    """What a finished run came to."""
    last = job.results[-1] if job is not None and job.results else None
    return last.recovered if isinstance(last, Progress) else None


def _key(model: LoadedModel, dataset: Dataset, run: Run) -> tuple[str, ...]:
    return ("recover", model.identity, dataset.digest, run.recipe.digest)


def _progress(model: LoadedModel, dataset: Dataset, run: Run) -> Iterator[Progress]:
    evaluator = cache.evaluator(model, dataset, dataset.splits["tune"])
    folder = Path(cache.store().path).parent / "recoveries"
    try:
        told = recover(model, run.recipe, dataset, evaluator=evaluator, checkpoints=folder)
    except ExplorerError:
        # Where nothing can be kept it still runs; what is refused for another reason is refused again.
        told = recover(model, run.recipe, dataset, evaluator=evaluator)
    for progress in told:
        if progress.recovered is not None:
            _keep(progress.recovered, model, dataset, evaluator)
            with contextlib.suppress(OSError):
                make_room(folder)
        yield progress


def _keep(found: Recovered, model: LoadedModel, dataset: Dataset, evaluator: Evaluator) -> None:
    """The result as a point of the trade-off, with all that it depends on."""
    if found.plan is None:
        return
    spec = PruneSpec.from_json(found.plan.spec)
    evaluation = measured(found.state, dataset.splits["tune"], evaluator)
    point = tradeoff.point(found.model, spec, found.plan, evaluation, cache.macs(model))
    recording.keep_quietly(replace(point, protocol=dict(found.protocol)), model, dataset, "recover")
