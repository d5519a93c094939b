"""What outputs are worth: chosen classes, tokens one after the other, or numbers. One judge a task.

The rest of the engine knows only that a judge turns outputs into a few numbers a sample, and
those of all samples into measurements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from explorer.engine.results import BatchResult
from explorer.errors import ExplorerError
from explorer.metrics.accuracy import Accuracy, drop
from explorer.metrics.agreement import Agreement
from explorer.metrics.base import Metric, Outputs, Task, measure
from explorer.metrics.interval import Interval, normal_mean, ratio
from explorer.metrics.loss import Loss
from explorer.metrics.mae import MeanAbsoluteError
from explorer.metrics.perplexity import Perplexity
from explorer.metrics.r2 import R2
from explorer.metrics.tokens import TokenAccuracy, TokenAgreement, TokenLoss
from explorer.metrics.top_k import TopK
from explorer.types import JudgedBy, Measurement


@dataclass(frozen=True)
class How:
    """What every measurement of an evaluation says about itself."""

    batch_size: int
    device: str

    def measure(self, metric: Metric, values: Tensor, name: str = "") -> Measurement:
        """The measurement of a metric, under its own name unless another is given."""
        found = measure(metric, values, batch_size=self.batch_size, device=self.device)
        return replace(found, name=name or found.name)


@dataclass(frozen=True)
class Verdict:
    """The measurements that all samples make; see :class:`explorer.types.Evaluation`."""

    accuracy: Measurement
    drop: Measurement
    agreement: Measurement
    loss: Measurement | None
    judged_by: JudgedBy
    metrics: Mapping[str, Measurement] = field(default_factory=dict)


class Judge(Protocol):
    """Judges one kind of outputs."""

    def result(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Sample by sample; ``dense`` is None for the dense model itself. ``briefly``: what a scan needs."""
        ...

    def verdict(self, whole: BatchResult, how: How) -> Verdict:
        """All samples together."""
        ...


class Classes:
    """(n, classes) scores; the highest one is the choice. Labels (n,) int64."""

    def result(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when a label is not among the classes."""
        predictions = outputs.argmax(dim=1)
        given = Outputs(outputs, labels, dense.predictions if dense else predictions)
        right = loss = top_k = None
        if labels is not None:
            _check_range(labels, outputs.shape[1], "classes")
            right, loss = Accuracy().per_sample(given), Loss().per_sample(given)
            if not briefly and TopK().why_not(outputs.shape[1]) is None:
                top_k = TopK().per_sample(given)
        return BatchResult(
            predictions=predictions,
            agrees=Agreement().per_sample(given),
            right=right,
            loss=loss,
            dense_predictions=given.dense,
            dense_right=dense.right if dense else right,
            margin=None if dense else _margin(outputs),
            top_k=top_k,
        )

    def verdict(self, whole: BatchResult, how: How) -> Verdict:
        """Top-1 share, or agreement without labels."""
        agreement = how.measure(Agreement(), whole.agrees)
        right, dense_right = whole.right, whole.dense_right
        if right is None or dense_right is None or whole.loss is None:
            lost = drop(torch.ones_like(whole.agrees), whole.agrees, batch_size=how.batch_size, device=how.device)
            return Verdict(agreement, lost, agreement, None, "agreement")
        lost = drop(dense_right, right, batch_size=how.batch_size, device=how.device)
        more = {} if whole.top_k is None else {"top_k": how.measure(TopK(), whole.top_k)}
        accuracy, loss = how.measure(Accuracy(), right), how.measure(Loss(), whole.loss)
        return Verdict(accuracy, lost, agreement, loss, "labels", more)


class Tokens:
    """(n, length, vocabulary) scores, each position's highest one is the choice. Labels (n, length) int64."""

    def result(
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
        return BatchResult(predictions, agrees, right, loss, given.dense, dense_right, task="tokens")

    def verdict(self, whole: BatchResult, how: How) -> Verdict:
        """The share of right tokens, or of equal ones without labels; perplexity beside it."""
        agreement = how.measure(TokenAgreement(), whole.agrees, "agreement")
        if whole.right is None or whole.dense_right is None or whole.loss is None:
            equal, n = whole.agrees.unbind(dim=1)
            fewer = _drop(agreement, 1 - agreement.value, ratio(n - equal, n))
            return Verdict(agreement, fewer, agreement, None, "agreement")
        accuracy = how.measure(TokenAccuracy(), whole.right, "accuracy")
        lost, n = whole.dense_right[:, 0] - whole.right[:, 0], whole.right[:, 1]
        fewer = _drop(accuracy, float(lost.sum() / n.sum()), ratio(lost, n))
        loss, perplexity = how.measure(TokenLoss(), whole.loss, "loss"), how.measure(Perplexity(), whole.loss)
        return Verdict(accuracy, fewer, agreement, loss, "tokens", {"perplexity": perplexity})


class Numbers:
    """(n, k) predicted numbers. Labels (n,) or (n, k) float."""

    def result(
        self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None, *, briefly: bool = False
    ) -> BatchResult:
        """Raises ExplorerError when there is not one output for each target."""
        wanted = dense.predictions if dense else outputs
        right = loss = None
        if labels is not None:
            _check_shape(outputs.shape, labels.shape if labels.dim() > 1 else (len(labels), 1), "numbers")
            given = Outputs(outputs, labels, wanted)
            right, loss = R2().per_sample(given), MeanAbsoluteError().per_sample(given)
        agrees = R2().per_sample(Outputs(outputs, wanted, wanted))
        return BatchResult(outputs, agrees, right, loss, wanted, dense.right if dense else right, task="numbers")

    def verdict(self, whole: BatchResult, how: How) -> Verdict:
        """R2 about the targets, or about the dense model's outputs without labels."""
        agreement = how.measure(R2(), whole.agrees, "agreement")
        if whole.right is None or whole.dense_right is None or whole.loss is None:
            return Verdict(agreement, _drop(agreement, 1 - agreement.value, None), agreement, None, "agreement")
        r2, mae = how.measure(R2(), whole.right), how.measure(MeanAbsoluteError(), whole.loss)
        # R2 = 1 - squared errors / variation, and the targets' variation is the same for both models.
        added = (whole.right[:, 0] - whole.dense_right[:, 0]) / R2().variation(whole.right)
        lost = _drop(r2, float(added.sum()), normal_mean(added * len(added)))
        return Verdict(r2, lost, agreement, mae, "numbers", {"r2": r2, "mae": mae})


JUDGES: dict[Task, Judge] = {"classes": Classes(), "tokens": Tokens(), "numbers": Numbers()}


def task_of(outputs: Tensor, labels: Tensor | None) -> Task:
    """What a model does, seen from its outputs (n, ...) and the labels that they are compared with."""
    if labels is not None and labels.is_floating_point():
        return "numbers"
    if outputs.dim() == 3:
        return "tokens"
    return "numbers" if labels is None and outputs.shape[1] == 1 else "classes"


def judge_of(outputs: Tensor, labels: Tensor | None) -> Judge:
    """Who judges such outputs. Raises ExplorerError when outputs and labels are not of one kind."""
    task = task_of(outputs, labels)
    n_dims = {"classes": 1, "tokens": 2}.get(task)
    if (labels is not None and n_dims not in (None, labels.dim())) or (task == "numbers" and outputs.dim() != 2):
        raise _unfit(outputs.shape, () if labels is None else labels.shape, task)
    return JUDGES[task]


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
