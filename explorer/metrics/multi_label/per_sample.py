"""What metrics of several labels a sample have in common."""

from __future__ import annotations

import math
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.metrics.interval import Interval, normal_mean
from explorer.types import Task


class PerSample:
    """What metrics have in common that are a mean over samples; the 95 % interval is the normal approximation."""

    task: ClassVar[Task] = "labels"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def total(self, values: Tensor) -> float:
        """The mean of (n,) values; NaN without samples."""
        return float(values.double().mean()) if len(values) else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The interval of the mean; None for fewer than two samples."""
        return normal_mean(values)

    def why_not(self, n_classes: int | None) -> Refusal | None:
        """Nothing stands against it."""
        return None
