"""Loss: how sure the model is of the right class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, Mean, Outputs


@dataclass(frozen=True)
class Loss(Mean):
    """Mean cross-entropy: -log of the probability given to the right class; 0 is perfect.

    It moves before accuracy does. Its 95 % interval is that of a mean, normal approximation.
    """

    key: ClassVar[str] = "loss"
    label: ClassVar[str] = "loss"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "nats"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64 nats."""
        labels = outputs.labels
        return functional.cross_entropy(outputs.logits.double(), labels, reduction="none")  # type: ignore[arg-type]
