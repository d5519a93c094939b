"""Mean absolute error: how far predicted numbers are off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.metrics.base import Best, Mean, Outputs
from explorer.types import Task


@dataclass(frozen=True)
class MeanAbsoluteError(Mean):
    """Mean of |prediction - target|, in the target's own unit; 0 is perfect.

    Several numbers a sample are averaged first. Its 95 % interval is that of a mean, normal
    approximation.
    """

    key: ClassVar[str] = "mae"
    label: ClassVar[str] = "mean absolute error"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "of the target"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "numbers"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64."""
        targets: Tensor = outputs.labels  # type: ignore[assignment]
        off = (outputs.logits.double().reshape(targets.shape) - targets.double()).abs()
        return off.reshape(len(off), -1).mean(dim=1)
