"""What metrics of several labels a sample have in common."""

from __future__ import annotations

from typing import ClassVar

from explorer.metrics.base import MeanOfSamples
from explorer.types import Task


class PerSample(MeanOfSamples):
    """What metrics of labels have in common: a mean over samples."""

    task: ClassVar[Task] = "labels"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
