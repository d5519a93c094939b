"""Embeddings: how near the pruned model's vector is to the dense model's for the same input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, MeanOfSamples, Outputs
from explorer.types import Task


@dataclass(frozen=True)
class CosineToDense(MeanOfSamples):
    """The mean cosine between the pruned and the dense model's vector; 1 is the same direction. It needs no labels.

    A vector of zeros has no direction: its cosine counts as 0. The 95 % interval is the normal approximation.
    """

    key: ClassVar[str] = "cosine"
    label: ClassVar[str] = "cosine to the dense model"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset()
    task: ClassVar[Task] = "embedding"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64 from -1 to 1."""
        one, other = outputs.logits.double(), outputs.dense.double()
        return functional.cosine_similarity(one, other, dim=1, eps=1e-30).clamp(-1.0, 1.0)
