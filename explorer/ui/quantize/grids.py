"""Grids of pruning and quantization, their orders, and skipped activations, as background jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from explorer.engine.evaluator import Evaluator
from explorer.engine.jobs import Job
from explorer.export.onnx_int8 import Int8Runtime
from explorer.export.onnx_process import why_no_onnx
from explorer.pruning import allocation
from explorer.pruning.level import with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.recovery.activation_threshold import SHARES as SKIPPED
from explorer.recovery.activation_threshold import ActivationPoint, skipping
from explorer.recovery.grid import FORMS, Form, GridPoint, RecoveryKind, Working, grid, n_points
from explorer.recovery.order import Tried, orders, recipes
from explorer.recovery.steps import Finetune
from explorer.recovery.training import why_not_trained
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, Plan
from explorer.ui.shell import cache, recording, session

EPOCHS = 5


@dataclass(frozen=True)
class Wanted:
    """One grid: what is pruned how, to which shares, in which formats, recovered how."""

    spec: PruneSpec
    shares: tuple[float, ...]
    forms: tuple[Form, ...]
    bits: int = 8
    recoveries: tuple[RecoveryKind, ...] = ("none",)

    @property
    def n_points(self) -> int:
        """How many points it has."""
        return n_points(self.shares, self.forms, self.recoveries)


def request(spec: PruneSpec) -> PruneSpec:
    """The request on Explore with global pruning over all layers: a grid sets the share itself."""
    return replace(spec, allocation=allocation.get("global"))


def forms(runtime: bool) -> tuple[Form, ...]:
    """All formats, or those that need no runtime."""
    return FORMS if runtime else FORMS[:2]


def why_no_runtime() -> str | None:
    """Why no real int8 files can be made on this machine, in a sentence."""
    absent = why_no_onnx()
    return f"{absent} Real int8 files need it: pip install -r requirements-export.txt" if absent else None


def why_no_training(dataset: Dataset) -> str | None:
    """Why nothing can be tuned on this data, in a sentence."""
    refusal = why_not_trained(_training(), dataset)
    return None if refusal is None else " ".join(part for part in (refusal.what, refusal.why) if part)


def find(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job | None:
    """The grid's job, if this server has begun it."""
    return cache.jobs().find(_key("grid", model, dataset, wanted))


def start(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Job:
    """Begin the grid, or find it."""
    return cache.jobs().submit(
        _key("grid", model, dataset, wanted),
        session.owner(),
        f"pruning and quantization of {model_name(model.address)}",
        lambda: _grid(model, dataset, wanted),
        wanted.n_points,
    )


def points(job: Job | None) -> list[GridPoint]:
    """What a grid has found so far."""
    return [item for item in (job.results if job is not None else ()) if isinstance(item, GridPoint)]


def doing(job: Job) -> str:
    """What a job does at the moment, in a few words."""
    last = job.results[-1] if job.results else None
    return f", {last.what}" if isinstance(last, Working) else ""


def find_orders(model: LoadedModel, dataset: Dataset, spec: PruneSpec, share: float, bits: int) -> Job | None:
    """The comparison of orders, if this server has begun it."""
    return cache.jobs().find(_key("orders", model, dataset, with_sparsity(spec, share), bits))


def start_orders(model: LoadedModel, dataset: Dataset, spec: PruneSpec, share: float, bits: int) -> Job:
    """Begin the comparison of orders, or find it."""
    asked = with_sparsity(spec, share)

    def work() -> Iterator[Tried | Working]:
        judge = _judge(model, dataset)
        return orders(model, asked, dataset, bits=bits, training=_training(), evaluator=judge)

    title = f"orders of quantizing {model_name(model.address)}"
    n = len(recipes(asked, bits))
    return cache.jobs().submit(_key("orders", model, dataset, asked, bits), session.owner(), title, work, n)


def find_skipping(model: LoadedModel, dataset: Dataset, plan: Plan | None) -> Job | None:
    """The measurement of skipped activations, if this server has begun it."""
    return cache.jobs().find(_key("skipping", model, dataset, plan.digest if plan else ""))


def start_skipping(model: LoadedModel, dataset: Dataset, plan: Plan | None) -> Job:
    """Begin the measurement of skipped activations, or find it."""

    def work() -> Iterator[ActivationPoint]:
        return skipping(model, dataset, shares=SKIPPED, plan=plan, evaluator=_judge(model, dataset))

    key = _key("skipping", model, dataset, plan.digest if plan else "")
    return cache.jobs().submit(
        key, session.owner(), f"skipped activations of {model_name(model.address)}", work, len(SKIPPED)
    )


def _key(kind: Literal["grid", "orders", "skipping"], model: LoadedModel, dataset: Dataset, *more: object) -> object:
    def text(part: object) -> object:
        if isinstance(part, Wanted):
            return (part.spec.digest, part.shares, part.forms, part.bits, part.recoveries)
        return part.digest if isinstance(part, PruneSpec) else part

    return ("quantize", kind, model.identity, dataset.digest, *map(text, more))


def _training() -> Finetune:
    return Finetune(epochs=EPOCHS)


def _judge(model: LoadedModel, dataset: Dataset) -> Evaluator:
    return cache.evaluator(model, dataset, dataset.splits["tune"])


def _grid(model: LoadedModel, dataset: Dataset, wanted: Wanted) -> Iterator[GridPoint | Working]:
    judge = _judge(model, dataset)
    found = grid(
        model,
        wanted.spec,
        dataset,
        shares=wanted.shares,
        forms=wanted.forms,
        bits=wanted.bits,
        recoveries=wanted.recoveries,
        training=_training(),
        runtime=Int8Runtime(dataset, judge),
        evaluator=judge,
    )
    for item in found:
        point = item.kept() if isinstance(item, GridPoint) else None
        if point is not None:
            recording.keep_quietly(point, model, dataset, "quantize")
        yield item
