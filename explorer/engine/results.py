"""What is known about each of some samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from explorer.metrics.base import Task


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Some samples, one by one; where several models were judged at once, (models, n, ...) of each tensor.

    ``agrees``, ``right`` and ``loss`` are the numbers that the task's metrics keep of each sample (1 or 0
    for agreement and right classes); ``right`` and ``loss`` are None without labels. ``predictions`` are
    classes (n,), tokens (n, length) or numbers (n, k). ``margin`` is how far the first choice is above
    the second one, for the dense model only; ``top_k`` says whether the class is among the first choices.
    """

    predictions: Tensor
    agrees: Tensor
    right: Tensor | None
    loss: Tensor | None
    dense_predictions: Tensor
    dense_right: Tensor | None
    margin: Tensor | None = None
    top_k: Tensor | None = None
    task: Task = "classes"

    def at(self, which: Any) -> BatchResult:
        """The results of some of the samples: a slice, indices, or a tuple of them for models and samples."""
        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        found = {k: v[which] if isinstance(v, Tensor) else v for k, v in found.items()}
        return BatchResult(**found)


def joined(parts: Sequence[BatchResult], dim: int = 0) -> BatchResult:
    """Several batches' results as one, in their order; ``dim`` is the one of the samples."""
    found: dict[str, Any] = {f.name: [getattr(part, f.name) for part in parts] for f in fields(BatchResult)}
    found = {k: torch.cat(v, dim=dim) if isinstance(v[0], Tensor) else v[0] for k, v in found.items()}
    return BatchResult(**found)
