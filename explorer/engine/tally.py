"""Results of batches, added up into evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.metrics.accuracy import Accuracy, drop
from explorer.metrics.agreement import Agreement
from explorer.metrics.base import Outputs, measure
from explorer.metrics.loss import Loss
from explorer.types import Evaluation


@dataclass(frozen=True, eq=False)
class BatchResult:
    """One batch, sample by sample; ``right`` and ``loss`` are None without labels.

    ``margin`` is how far the first choice is above the second one, for the dense model only.
    """

    predictions: Tensor
    agrees: Tensor
    right: Tensor | None
    loss: Tensor | None
    dense_predictions: Tensor
    dense_right: Tensor | None
    margin: Tensor | None = None

    def at(self, which: slice | Tensor) -> BatchResult:
        """The results of some of the samples."""
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        found = {name: None if value is None else value[which] for name, value in found.items()}
        return BatchResult(**found)


def joined(parts: Sequence[BatchResult]) -> BatchResult:
    """Several batches' results as one, in their order."""
    found: dict[str, Any] = {f.name: [getattr(part, f.name) for part in parts] for f in fields(BatchResult)}
    found = {name: None if of_parts[0] is None else torch.cat(of_parts) for name, of_parts in found.items()}
    return BatchResult(**found)


def judge(logits: Tensor, labels: Tensor | None, dense: BatchResult | None) -> BatchResult:
    """What (n, classes) outputs are worth; ``dense`` is the dense model's result, None if this is it.

    Raises ExplorerError when a label is not among the classes.
    """
    predictions = logits.argmax(dim=1)
    outputs = Outputs(logits, labels, dense.predictions if dense else predictions)
    right = loss = None
    if labels is not None:
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
            raise ExplorerError(
                f"The data has classes up to {int(labels.max())}, but the model tells {logits.shape[1]} apart.",
                why="Classes are counted from 0.",
                fix="Choose the data this model was trained for.",
            )
        right, loss = Accuracy().per_sample(outputs), Loss().per_sample(outputs)
    return BatchResult(
        predictions=predictions,
        agrees=Agreement().per_sample(outputs),
        right=right,
        loss=loss,
        dense_predictions=outputs.dense,
        dense_right=dense.right if dense else right,
        margin=None if dense else _margin(logits),
    )


def _margin(logits: Tensor) -> Tensor:
    best = logits.topk(min(2, logits.shape[1]), dim=1).values
    return best[:, 0] - best[:, -1]


def judge_each(outputs: Tensor, labels: Tensor | None, dense: BatchResult) -> list[BatchResult]:
    """What several models' outputs for the same samples are worth: (models, n, classes) -> one result a model."""
    n_models, n = outputs.shape[:2]
    labels = None if labels is None else labels.repeat(n_models)
    flat = Outputs(outputs.flatten(0, 1), labels, dense.predictions.repeat(n_models))
    predictions = flat.logits.argmax(dim=1).view(n_models, n)
    agrees = Agreement().per_sample(flat).view(n_models, n)
    right = None if labels is None else Accuracy().per_sample(flat).view(n_models, n)
    loss = None if labels is None else Loss().per_sample(flat).view(n_models, n)
    return [
        BatchResult(
            predictions=predictions[i],
            agrees=agrees[i],
            right=None if right is None else right[i],
            loss=None if loss is None else loss[i],
            dense_predictions=dense.predictions,
            dense_right=dense.dense_right,
        )
        for i in range(n_models)
    ]


class Tally:
    """Batches in the split's order, and the evaluation they amount to so far."""

    def __init__(self, total: int, has_labels: bool, batch_size: int, device: str) -> None:
        self._total = total
        self._has_labels = has_labels
        self._batch_size = batch_size
        self._device = device
        self._results: list[BatchResult] = []

    def add(self, result: BatchResult) -> None:
        """Take in the next batch."""
        self._results.append(result)

    def evaluation(self, seconds: float) -> Evaluation:
        """Everything so far, with intervals."""
        agrees = self._joined("agrees")
        agreement = measure(Agreement(), agrees, batch_size=self._batch_size, device=self._device)
        if self._has_labels:
            right, dense_right = self._joined("right"), self._joined("dense_right")
            accuracy = measure(Accuracy(), right, batch_size=self._batch_size, device=self._device)
            loss = measure(Loss(), self._joined("loss"), batch_size=self._batch_size, device=self._device)
        else:
            right, dense_right = agrees, torch.ones_like(agrees)
            accuracy, loss = agreement, None
        return Evaluation(
            n=len(agrees),
            total=self._total,
            accuracy=accuracy,
            drop=drop(dense_right, right, batch_size=self._batch_size, device=self._device),
            agreement=agreement,
            loss=loss,
            predictions=self._joined("predictions"),
            dense_predictions=self._joined("dense_predictions"),
            judged_by="labels" if self._has_labels else "agreement",
            seconds=seconds,
        )

    def _joined(self, name: str) -> Tensor:
        return torch.cat([getattr(result, name) for result in self._results])
