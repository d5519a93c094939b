"""R2: how much of the targets' variation the predictions explain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import Interval
from explorer.types import Task


@dataclass(frozen=True)
class R2(Unconditional):
    """Coefficient of determination: 1 - squared errors / squared deviations from the mean target.

    1 is perfect, 0 is as good as always answering the mean, negative is worse. Several numbers a
    sample are pooled. It has no interval: its spread depends on the targets' own.
    """

    key: ClassVar[str] = "r2"
    label: ClassVar[str] = "R2"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "numbers"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 4) float64: squared error, target, target squared (sums over a sample), and how many numbers."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        targets = labels.double().reshape(len(labels), -1)
        error = (outputs.logits.double().reshape(targets.shape) - targets).square()
        n = torch.full((len(targets),), float(targets.shape[1]), dtype=torch.float64)
        return torch.stack([error.sum(dim=1), targets.sum(dim=1), targets.square().sum(dim=1), n], dim=1)

    def total(self, values: Tensor) -> float:
        """The coefficient; NaN where the targets are all the same."""
        variation = self.variation(values)
        return 1.0 - float(values[:, 0].sum()) / variation if variation > 0 else math.nan

    def variation(self, values: Tensor) -> float:
        """The targets' squared deviations from their mean, added up; from the same (n, 4) values."""
        _, targets, squares, n = values.sum(dim=0).tolist()
        return float(squares - targets * targets / n) if n else 0.0

    def interval(self, values: Tensor) -> Interval | None:
        """None: there is no simple one."""
        return None
