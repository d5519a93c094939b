"""Top-k accuracy: how often the right class is among the first k choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.metrics.base import Best, Outputs, Share
from explorer.params import param


@dataclass(frozen=True)
class TopK(Share):
    """The share of samples whose right class is among the k highest outputs.

    Its interval is Wilson's, 95 %.
    """

    key: ClassVar[str] = "top_k"
    label: ClassVar[str] = "right class among the first 5"
    best: ClassVar[Best] = "highest"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    k: int = param(5, "First choices", low=1, high=1000)

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: 1 where the label is among the first k."""
        first = outputs.logits.topk(min(self.k, outputs.logits.shape[1]), dim=1).indices
        return first.eq(outputs.labels.unsqueeze(1)).any(dim=1).double()  # type: ignore[union-attr]

    def why_not(self, n_classes: int | None) -> Refusal | None:
        """With k classes or fewer every choice is among the first k."""
        if n_classes is not None and n_classes <= self.k:
            return Refusal(f"With {n_classes} classes the right one is always among the first {self.k}.")
        return None
