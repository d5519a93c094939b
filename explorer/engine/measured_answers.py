"""Tasks whose answers are measured by registered metrics alone: masks of pictures, and vectors. One value a task.

The first metric takes the place of accuracy under its own name; its drop is paired on the same samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from explorer.engine.results import BatchResult
from explorer.errors import ExplorerError
from explorer.metrics.base import Metric, Outputs
from explorer.metrics.by_task.cosine import CosineToDense
from explorer.metrics.by_task.segmentation import VOID, MeanIoU, PixelAccuracy, PixelAgreement, PixelLoss, counted
from explorer.metrics.own.paired import lost
from explorer.types import Measurement, Task


class Measures(Protocol):
    """What makes a measurement of samples' numbers."""

    @property
    def quickly(self) -> bool:
        """Whether what takes long is left out."""

    def measure(self, metric: Metric, values: Tensor, name: str = "") -> Measurement:
        """The measurement of a metric."""


@dataclass(frozen=True)
class MeasuredTask:
    """``first`` and ``loss`` need labels, ``agreement`` does not; ``others`` are measured beside them."""

    task: Task
    agreement: Metric
    first: Metric | None = None
    loss: Metric | None = None
    others: tuple[Metric, ...] = ()

    def results(self, outputs: Tensor, labels: Tensor | None, dense: BatchResult | None) -> BatchResult:
        """Sample by sample; ``dense`` is None for the dense model itself. Raises ExplorerError for odd labels."""
        if self.task == "mask":
            _check_masks(outputs, labels)
        predictions = outputs if self.task == "embedding" else _narrow(outputs.argmax(dim=1), outputs.shape[1])
        given = Outputs(outputs, labels, dense.predictions if dense else predictions)
        has_labels = labels is not None and self.first is not None
        right = self.first.per_sample(given) if self.first is not None and has_labels else None
        return BatchResult(
            predictions=predictions,
            agrees=self.agreement.per_sample(given),
            right=right,
            loss=self.loss.per_sample(given) if self.loss is not None and has_labels else None,
            dense_predictions=given.dense,
            dense_right=dense.right if dense else right,
            more={metric.key: metric.per_sample(given) for metric in self.others} if has_labels else {},
            task=self.task,
        )

    def measured(self, whole: BatchResult, origin: Measures) -> Mapping[str, Measurement | None]:
        """``accuracy``, ``drop``, ``agreement`` and ``loss`` of all samples."""
        agreement = origin.measure(self.agreement, whole.agrees, "agreement")
        if self.first is None or whole.right is None or whole.dense_right is None:
            first = origin.measure(self.agreement, whole.agrees, "" if self.task == "embedding" else "agreement")
            drop = _drop(self.agreement, _all_equal(whole.agrees), whole.agrees, first, quickly=origin.quickly)
            return {"accuracy": first, "drop": drop, "agreement": agreement, "loss": None}
        first = origin.measure(self.first, whole.right)
        loss = None if self.loss is None or whole.loss is None else origin.measure(self.loss, whole.loss, "loss")
        drop = _drop(self.first, whole.dense_right, whole.right, first, quickly=origin.quickly)
        return {"accuracy": first, "drop": drop, "agreement": agreement, "loss": loss}


MASK = MeasuredTask("mask", PixelAgreement(), MeanIoU(), PixelLoss(), (PixelAccuracy(),))
EMBEDDING = MeasuredTask("embedding", CosineToDense())


def _all_equal(agrees: Tensor) -> Tensor:
    """What the agreement keeps of samples that are the dense model's own."""
    return torch.ones_like(agrees) if agrees.dim() == 1 else agrees[:, 1:].expand_as(agrees).contiguous()


def _drop(metric: Metric, dense: Tensor, pruned: Tensor, like: Measurement, *, quickly: bool) -> Measurement:
    value, interval = lost(metric, dense, pruned, quickly=quickly)
    low, high = interval or (None, None)
    return replace(like, name="drop", value=value, low=low, high=high, note="")


def _narrow(classes: Tensor, n_classes: int) -> Tensor:
    """The same classes in as few bytes as they take."""
    return classes.to(torch.uint8 if n_classes <= VOID else torch.int16 if n_classes < 2**15 else torch.int64)


def _check_masks(outputs: Tensor, labels: Tensor | None) -> None:
    if labels is None:
        return
    expected: Sequence[int] = (outputs.shape[0], *outputs.shape[2:])
    if tuple(labels.shape) != tuple(expected):
        why = f"Outputs have the shape {tuple(outputs.shape)}, masks {tuple(labels.shape)}."
        fix = "Bring masks to the size of the outputs, or let the model's forward scale its outputs up."
        raise ExplorerError("The model's outputs do not fit the data's masks.", why=why, fix=fix)
    n_classes = outputs.shape[1]
    here = labels[counted(labels, n_classes)]
    if here.numel() and int(here.max()) >= n_classes:
        what = f"The masks have classes up to {int(here.max())}, but the model tells {n_classes} apart."
        why = f"Classes are counted from 0; negative places and {VOID} belong to none."
        raise ExplorerError(what, why=why, fix="Choose the data this model was trained for.")
