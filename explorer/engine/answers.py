"""What outputs are worth: chosen classes, tokens one after the other, or numbers. One class a task.

The rest of the engine knows only that a task turns outputs into a few numbers a sample, and those of all
samples into measurements. Which ones: the task's own three (accuracy, agreement, loss), and every other
metric that is registered for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from explorer.engine.label_answers import FIRST, label_results
from explorer.engine.measured_answers import EMBEDDING, MASK, MeasuredTask
from explorer.engine.results import BatchResult
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.accuracy import Accuracy, drop
from explorer.metrics.agreement import Agreement
from explorer.metrics.base import MOST_SCORES, Metric, Outputs, measure, why_not
from explorer.metrics.interval import Interval, normal_mean, ratio
from explorer.metrics.loss import Loss
from explorer.metrics.mae import MeanAbsoluteError
from explorer.metrics.multi_label import LabelAccuracy, LabelAgreement, LabelLoss
from explorer.metrics.r2 import R2
from explorer.metrics.tokens import TokenAccuracy, TokenAgreement, TokenLoss
from explorer.pruning.running import two_scores
from explorer.types import JudgedBy, Measurement, Task


@dataclass(frozen=True)
class Provenance:
    """What every measurement of an evaluation says about itself."""

    batch_size: int
    device: str
    own: Mapping[str, Metric] = field(default_factory=dict)
    quickly: bool = False

    def measure(self, metric: Metric, values: Tensor, name: str = "") -> Measurement:
        """The measurement of a metric, under its own name unless another is given."""
        measurement = measure(metric, values, batch_size=self.batch_size, device=self.device, quickly=self.quickly)
        return replace(measurement, name=name or measurement.name)

    def measure_more(self, whole: BatchResult) -> dict[str, Measurement]:
        """The measurements of all metrics beside the task's first ones, by key."""
        return {key: self.measure(self.own.get(key) or METRICS.get(key), values) for key, values in whole.more.items()}


@dataclass(frozen=True)
class Totals:
    """The measurements that all samples make; see :class:`explorer.types.Evaluation`."""

    accuracy: Measurement
    drop: Measurement
    agreement: Measurement
    loss: Measurement | None
    judged_by: JudgedBy
    metrics: Mapping[str, Measurement] = field(default_factory=dict)


class Answers(Protocol):
    """One kind of outputs, and what they are compared with."""

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Sample by sample; ``dense`` is None for the dense model itself. ``briefly``: what a scan needs."""
        ...

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """All samples together."""
        ...


class ClassAnswers:
    """(n, classes) scores; the highest one is the choice. One output alone is a logit of class 1. Labels (n,) int64."""

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when a label is not among the classes."""
        outputs = two_scores(outputs)
        predictions = outputs.argmax(dim=1)
        scores = dense.scores if dense else outputs if outputs.shape[1] <= MOST_SCORES else None
        given = Outputs(outputs, labels, dense.predictions if dense else predictions, scores)
        right = loss = None
        if labels is not None:
            _check_range(labels, outputs.shape[1], "classes")
            right, loss = Accuracy().per_sample(given), Loss().per_sample(given)
        return BatchResult(
            predictions=predictions,
            agrees=Agreement().per_sample(given),
            right=right,
            loss=loss,
            dense_predictions=given.dense,
            dense_right=dense.right if dense else right,
            margin=None if dense else _margin(outputs),
            scores=None if dense or scores is None else scores.clone(),
            more={} if briefly else _more("classes", given, {Accuracy, Agreement, Loss}, outputs.shape[1]),
        )

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """Top-1 share, or agreement without labels."""
        agreement = origin.measure(Agreement(), whole.agrees)
        right, dense_right = whole.right, whole.dense_right
        if right is None or dense_right is None or whole.loss is None:
            lost = drop(torch.ones_like(whole.agrees), whole.agrees, batch_size=origin.batch_size, device=origin.device)
            return Totals(agreement, lost, agreement, None, "agreement", origin.measure_more(whole))
        lost = drop(dense_right, right, batch_size=origin.batch_size, device=origin.device)
        accuracy, loss = origin.measure(Accuracy(), right), origin.measure(Loss(), whole.loss)
        return Totals(accuracy, lost, agreement, loss, "labels", origin.measure_more(whole))


class TokenAnswers:
    """(n, length, vocabulary) scores, each position's highest one is the choice. Labels (n, length) int64."""

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when labels have another length, or are not in the vocabulary."""
        predictions = outputs.argmax(dim=-1)
        given = Outputs(outputs, labels, dense.predictions if dense else predictions)
        right = loss = None
        if labels is not None:
            _check_shape(outputs.shape[:2], labels.shape, "tokens")
            _check_range(labels.clamp_min(0), outputs.shape[-1], "tokens")
            right, loss = TokenAccuracy().per_sample(given), TokenLoss().per_sample(given)
        agrees = TokenAgreement().per_sample(given)
        dense_right = dense.right if dense else right
        more = {} if briefly else _more("tokens", given, {TokenAccuracy, TokenAgreement, TokenLoss})
        return BatchResult(predictions, agrees, right, loss, given.dense, dense_right, more=more, task="tokens")

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """The share of right tokens, or of equal ones without labels; perplexity beside it."""
        agreement = origin.measure(TokenAgreement(), whole.agrees, "agreement")
        if whole.right is None or whole.dense_right is None or whole.loss is None:
            equal, n = whole.agrees.unbind(dim=1)
            fewer = _drop(agreement, 1 - agreement.value, ratio(n - equal, n))
            return Totals(agreement, fewer, agreement, None, "agreement", origin.measure_more(whole))
        accuracy = origin.measure(TokenAccuracy(), whole.right, "accuracy")
        lost, n = whole.dense_right[:, 0] - whole.right[:, 0], whole.right[:, 1]
        fewer = _drop(accuracy, float(lost.sum() / n.sum()), ratio(lost, n))
        loss = origin.measure(TokenLoss(), whole.loss, "loss")
        return Totals(accuracy, fewer, agreement, loss, "tokens", origin.measure_more(whole))


class NumberAnswers:
    """(n, k) predicted numbers. Labels (n,) or (n, k) float."""

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when there is not one output for each target."""
        of_dense = dense.predictions if dense else outputs
        given = Outputs(outputs, labels, of_dense)
        right = loss = None
        if labels is not None:
            _check_shape(outputs.shape, labels.shape if labels.dim() > 1 else (len(labels), 1), "numbers")
            right, loss = R2().per_sample(given), MeanAbsoluteError().per_sample(given)
        agrees = R2().per_sample(Outputs(outputs, of_dense, of_dense))
        more = {} if briefly else _more("numbers", given, {R2, MeanAbsoluteError})
        dense_right = dense.right if dense else right
        return BatchResult(outputs, agrees, right, loss, of_dense, dense_right, more=more, task="numbers")

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """R2 about the targets, or about the dense model's outputs without labels."""
        agreement = origin.measure(R2(), whole.agrees, "agreement")
        if whole.right is None or whole.dense_right is None or whole.loss is None:
            fewer = _drop(agreement, 1 - agreement.value, None)
            return Totals(agreement, fewer, agreement, None, "agreement", origin.measure_more(whole))
        r2, mae = origin.measure(R2(), whole.right), origin.measure(MeanAbsoluteError(), whole.loss)
        # R2 = 1 - squared errors / variation, and the targets' variation is the same for both models.
        added = (whole.right[:, 0] - whole.dense_right[:, 0]) / R2().variation(whole.right)
        lost = _drop(r2, float(added.sum()), normal_mean(added * len(added)))
        return Totals(r2, lost, agreement, mae, "numbers", {"r2": r2, "mae": mae, **origin.measure_more(whole)})


class LabelAnswers:
    """(n, k) logits, each label is chosen where its logit is above 0. Labels (n, k) bool."""

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when there is not one output for each label."""
        result, given = label_results(outputs, labels, dense)
        return result if briefly else replace(result, more=_more("labels", given, FIRST))

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """The share of right labels."""
        agreement = origin.measure(LabelAgreement(), whole.agrees, "agreement")
        if whole.right is None or whole.dense_right is None or whole.loss is None:
            fewer = _drop(agreement, 1 - agreement.value, normal_mean(1 - whole.agrees))
            return Totals(agreement, fewer, agreement, None, "agreement", origin.measure_more(whole))
        accuracy = origin.measure(LabelAccuracy(), whole.right, "accuracy")
        lost = whole.dense_right - whole.right
        fewer = _drop(accuracy, float(lost.mean()), normal_mean(lost))
        loss = origin.measure(LabelLoss(), whole.loss, "loss")
        return Totals(accuracy, fewer, agreement, loss, "several", origin.measure_more(whole))


@dataclass(frozen=True)
class MeasuredAnswers:
    """Answers of a task that registered metrics measure alone."""

    of: MeasuredTask

    def per_sample(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when outputs and labels do not fit each other."""
        result = self.of.results(outputs, labels, dense)
        return replace(result, more={}) if briefly else result

    def totals(self, whole: BatchResult, origin: Provenance) -> Totals:
        """The task's first metric under its own name, or the agreement with the dense model."""
        parts = self.of.measured(whole, origin)
        first, drop, agreement = parts["accuracy"], parts["drop"], parts["agreement"]
        if first is None or drop is None or agreement is None:
            raise AssertionError("only the loss may be absent")
        judged: JudgedBy = "agreement" if first.name == "agreement" else "metric"
        own = {} if judged == "agreement" else {first.name: first}
        return Totals(first, drop, agreement, parts["loss"], judged, {**own, **origin.measure_more(whole)})


ANSWERS: dict[Task, Answers] = {
    "classes": ClassAnswers(),
    "labels": LabelAnswers(),
    "tokens": TokenAnswers(),
    "numbers": NumberAnswers(),
    "mask": MeasuredAnswers(MASK),
    "embedding": MeasuredAnswers(EMBEDDING),
}


def task_of(outputs: Tensor, labels: Tensor | None, stated: Task | None = None) -> Task:
    """What a model does: as it is ``stated``, else seen from its outputs (n, ...) and the labels beside them."""
    if stated is not None:
        return stated
    if outputs.dim() == 4:
        return "mask"
    if labels is not None and labels.is_floating_point():
        return "numbers"
    if labels is not None and labels.dtype == torch.bool:
        return "labels"
    if outputs.dim() == 3:
        return "tokens"
    return "numbers" if labels is None and outputs.shape[1] == 1 else "classes"


def answers_of(outputs: Tensor, labels: Tensor | None, stated: Task | None = None) -> Answers:
    """What such outputs are. Raises ExplorerError when outputs and labels are not of one kind."""
    task = task_of(outputs, labels, stated)
    n_dims = {"classes": 1, "labels": 2, "tokens": 2, "mask": 3}.get(task)
    if (labels is not None and n_dims not in (None, labels.dim())) or (
        task in ("labels", "numbers", "embedding") and outputs.dim() != 2
    ):
        raise _unfit(outputs.shape, () if labels is None else labels.shape, task)
    return ANSWERS[task]


def _more(task: Task, given: Outputs, but: set[type], n_classes: int | None = None) -> dict[str, Tensor]:
    """What every metric of a task keeps of each sample, apart from some; metrics that say nothing here are left out."""
    taken: dict[object, Tensor] = {}  # metrics that share what they keep of a sample have it computed once
    more = {}
    for member in METRICS:
        metric = METRICS.get(member.key)
        if member in but or why_not(metric, labels=given.labels is not None, task=task, n_classes=n_classes):
            continue
        if (way := member.per_sample) not in taken:
            taken[way] = metric.per_sample(given)
        more[member.key] = taken[way]
    return more


def _margin(scores: Tensor) -> Tensor:
    best = scores.topk(min(2, scores.shape[1]), dim=1).values
    return best[:, 0] - best[:, -1]


def _drop(like: Measurement, value: float, interval: Interval | None) -> Measurement:
    low, high = interval or (None, None)
    return replace(like, name="drop", value=value, low=low, high=high)


def _check_range(labels: Tensor, n: int, what: str) -> None:
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < n:
        raise ExplorerError(
            f"The data has {what} up to {int(labels.max())}, but the model tells {n} apart.",
            why=f"{what.capitalize()} are counted from 0.",
            fix="Choose the data this model was trained for.",
        )


def _check_shape(outputs: Sequence[int], labels: Sequence[int], what: str) -> None:
    if tuple(outputs) != tuple(labels):
        raise _unfit(outputs, labels, what)


def _unfit(outputs: Sequence[int], labels: Sequence[int], what: str) -> ExplorerError:
    return ExplorerError(
        "The model's outputs do not fit the data's labels.",
        why=f"Outputs have the shape {tuple(outputs)}, labels {tuple(labels)}: they cannot be compared as {what}.",
        fix="Choose the data this model was trained for.",
    )
