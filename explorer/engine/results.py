"""What is known about each of some samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from explorer.types import Task


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Some samples, one by one; where several models were evaluated at once, (models, n, ...) of each tensor.

    ``agrees``, ``right`` and ``loss`` are the numbers that the task's first metrics keep of each sample (1 or 0
    for agreement and right classes); ``right`` and ``loss`` are None without labels. ``predictions`` are
    classes (n,), tokens (n, length) or numbers (n, k). ``margin`` is how far the first choice is above
    the second one, ``scores`` (n, classes) what the choice is made by, both for the dense model only. ``more``
    holds what every other registered metric keeps of each sample, by its key. ``headline`` is what the metric that
    was chosen for the first one keeps, None where none was.
    """

    predictions: Tensor
    agrees: Tensor
    right: Tensor | None
    loss: Tensor | None
    dense_predictions: Tensor
    dense_right: Tensor | None
    margin: Tensor | None = None
    scores: Tensor | None = None
    more: Mapping[str, Tensor] = field(default_factory=dict)
    task: Task = "classes"
    headline: Tensor | None = None
    dense_headline: Tensor | None = None

    def at(self, which: Any) -> BatchResult:
        """The results of some of the samples: a slice, indices, or a tuple of them for models and samples."""
        return each(lambda tensors: tensors[0][which], [self])


def joined(parts: Sequence[BatchResult], dim: int = 0) -> BatchResult:
    """Several batches' results as one, in their order; ``dim`` is the one of the samples."""
    return each(lambda tensors: torch.cat(tensors, dim=dim), parts)


def each(change: Callable[[list[Tensor]], Tensor], parts: Sequence[BatchResult]) -> BatchResult:
    """The result whose every tensor is ``change`` of that tensor in all ``parts``."""
    values: dict[str, Any] = {}
    for name in (f.name for f in fields(BatchResult)):
        of_parts = [getattr(part, name) for part in parts]
        if isinstance(of_parts[0], Tensor):
            values[name] = change(of_parts)
        elif isinstance(of_parts[0], Mapping):
            values[name] = {key: change([tensors[key] for tensors in of_parts]) for key in of_parts[0]}
        else:
            values[name] = of_parts[0]
    return BatchResult(**values)
