"""Balanced accuracy: how often the first choice is right in a class, averaged over classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import Interval, wilson
from explorer.types import Task


@dataclass(frozen=True)
class BalancedAccuracy(Unconditional):
    """The mean recall over the classes that have samples: every class counts the same, however rare it is.

    Equal to accuracy where classes are even; a model that answers one of k classes to everything has 1 / k.
    Its 95 % interval joins Wilson's intervals of the recalls (method of variance estimates recovery).

    Source: Brodersen et al. 2010, doi:10.1109/ICPR.2010.764; interval: Zou and Donner 2008, doi:10.1002/sim.3095.
    """

    key: ClassVar[str] = "balanced_accuracy"
    label: ClassVar[str] = "balanced accuracy"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "classes"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: the class, and 1 where the first choice is right."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        right = outputs.logits.argmax(dim=1).eq(labels)
        return torch.stack([labels.double(), right.double()], dim=1)

    def total(self, values: Tensor) -> float:
        """The mean recall; NaN without samples."""
        counts = _counts(values)
        return sum(n_right / n for n_right, n in counts) / len(counts) if counts else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The interval of the mean recall; None without samples."""
        counts = _counts(values)
        if not counts:
            return None
        value, below, above = self.total(values), 0.0, 0.0
        for n_right, n in counts:
            recall, (low, high) = n_right / n, wilson(n_right, n)
            below += (recall - low) ** 2
            above += (high - recall) ** 2
        k = len(counts)
        return Interval(max(0.0, value - math.sqrt(below) / k), min(1.0, value + math.sqrt(above) / k))


def _counts(values: Tensor) -> list[tuple[int, int]]:
    """(n, 2) class and rightness -> how many are right of how many, for each class that has samples."""
    if not len(values):
        return []
    classes, right = values[:, 0].long(), values[:, 1]
    n = torch.bincount(classes)
    n_right = torch.bincount(classes, weights=right)
    return [(int(r), int(m)) for r, m in zip(n_right.tolist(), n.tolist(), strict=True) if m]
