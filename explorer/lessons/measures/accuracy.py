"""What a pruned network answers on the tune split: right answers, class by class, and under noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from explorer.analysis.report import report
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.lessons.measures.base import Measure, OfSetting, shares_of
from explorer.lessons.readings import Reading
from explorer.metrics.interval import wilson
from explorer.params import param
from explorer.pruning.level import with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.tasks.context import Context
from explorer.tasks.scan import ScanRequest
from explorer.text.numbers import percent_asked
from explorer.types import Evaluation, Measurement


@dataclass(frozen=True)
class AccuracyReached(OfSetting):
    """The share of right answers, its drop against the dense network, or the share of answers that changed.

    With ``levels``, at each of these sparsities.
    """

    key: ClassVar[str] = "accuracy"

    of: str = param("accuracy", "what is measured", choices=("accuracy", "drop", "changed"))
    levels: str = param("", "sparsities")

    def readings(self, context: Context) -> Iterator[Reading]:
        """One, or one for each level."""
        if not self.levels:
            yield Reading("", self._measured(context, self.spec))
        for level in shares_of(self.levels):
            yield Reading(percent_asked(level), self._measured(context, with_sparsity(self.spec, level)), level)

    def _measured(self, context: Context, spec: PruneSpec) -> Measurement:
        evaluation = context.evaluator.final(self.plan(context, spec))
        return {"accuracy": evaluation.accuracy, "drop": evaluation.drop}.get(self.of) or changed(evaluation)


def changed(evaluation: Evaluation) -> Measurement:
    """The share of samples whose answer is another one than the dense network's, right or wrong."""
    n = evaluation.n
    n_changed = int((evaluation.predictions != evaluation.dense_predictions).sum())
    return Measurement("changed", n_changed / n, "fraction", "measured", *wilson(n_changed, n), n=n)


@dataclass(frozen=True)
class Alone(Measure):
    """The accuracy when one layer alone is pruned to each of ``levels``; without ``layer`` of every layer in turn."""

    key: ClassVar[str] = "alone"

    layer: str = param("", "layer")
    levels: str = param("0.9", "sparsities")

    def readings(self, context: Context) -> Iterator[Reading]:
        """One for each layer, or for each level of the one layer."""
        layers = (self.layer,) if self.layer else None
        request = ScanRequest(PruneSpec(), levels=shares_of(self.levels), layers=layers)
        for cell in request.run(context):
            if cell.complete:
                label = percent_asked(cell.level) if self.layer else cell.group
                yield Reading(label, cell.accuracy, cell.level if self.layer else None)


@dataclass(frozen=True)
class PerClass(OfSetting):
    """The share of each class that is right."""

    key: ClassVar[str] = "per_class"

    def readings(self, context: Context) -> Iterator[Reading]:
        """One for each class that has samples."""
        plan = self.plan(context)
        evaluation = context.evaluator.final(plan)
        about = report(context.model, plan, evaluation, data=context.dataset, split="tune")
        for name, count in about.per_class:
            if count.n:
                yield Reading(name, count.recall)


@dataclass(frozen=True)
class UnderNoise(OfSetting):
    """The accuracy when normal noise of this standard deviation is added to the inputs (``of``: or its drop)."""

    key: ClassVar[str] = "under_noise"

    of: str = param("accuracy", "what is measured", choices=("accuracy", "drop"))
    noise: float = param(0.2, "standard deviation", low=0.0, high=10.0)
    seed: int = param(0, "seed", low=0)

    def readings(self, context: Context) -> Iterator[Reading]:
        """One."""
        samples = split_of(context.dataset, "tune")
        if not isinstance(samples.x, torch.Tensor):
            raise ExplorerError("Noise is added to a single input only.", fix="Take a model with one input.")
        generator = torch.Generator().manual_seed(self.seed)
        noisy = samples.x + self.noise * torch.randn(samples.x.shape, generator=generator)
        evaluation = Evaluator(context.model, replace(samples, x=noisy), device=context.device).final(
            self.plan(context)
        )
        values: Mapping[str, Measurement] = {"accuracy": evaluation.accuracy, "drop": evaluation.drop}
        yield Reading("", values[self.of])
