"""Agreement: how often the pruned model says what the dense one says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.metrics.base import Best, Outputs, Share


@dataclass(frozen=True)
class Agreement(Share):
    """The share of samples on which pruned and dense model predict the same class.

    It needs no labels, and says nothing about who is right. Its interval is Wilson's, 95 %.
    """

    key: ClassVar[str] = "agreement"
    label: ClassVar[str] = "agreement with the dense model"
    best: ClassVar[Best] = "highest"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: 1 where both predict the same class."""
        return (outputs.logits.argmax(dim=1) == outputs.dense).double()
