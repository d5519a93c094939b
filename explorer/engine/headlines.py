"""Which registered metrics may stand in the place of accuracy for these samples."""

from __future__ import annotations

from torch import Tensor

from explorer.metrics import METRICS
from explorer.metrics.base import Metric, why_not
from explorer.types import Split, Task

FIRST: dict[Task, str] = {
    "classes": "accuracy",
    "labels": "label_accuracy",
    "tokens": "token_accuracy",
    "numbers": "r2",
    "mask": "mean_iou",
    "embedding": "cosine",
}


def headlines(split: Split, n_classes: int | None) -> tuple[Metric, ...]:
    """The metrics of what the labels are, the task's own first one at the beginning; none without labels."""
    if split.y is None:
        return ()
    task = split.task or _task(split.y)
    suiting = [
        metric
        for metric in map(METRICS.get, METRICS.members)
        if why_not(metric, labels=True, task=task, n_classes=n_classes) is None
    ]
    return tuple(sorted(suiting, key=lambda metric: metric.key != FIRST.get(task)))


def _task(labels: Tensor) -> Task:
    if labels.is_floating_point():
        return "numbers"
    if labels.dtype == labels.bool().dtype:
        return "labels"
    return "classes" if labels.dim() == 1 else "mask" if labels.dim() == 3 else "tokens"
