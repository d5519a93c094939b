"""How sure a model of several labels a sample is of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, Outputs
from explorer.metrics.multi_label.per_sample import PerSample


@dataclass(frozen=True)
class LabelLoss(PerSample):
    """Mean binary cross-entropy of a label, with the sigmoid of its logit; 0 is perfect."""

    key: ClassVar[str] = "label_loss"
    label: ClassVar[str] = "loss of a label"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "nats"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: the mean cross-entropy of each sample's labels, in nats."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        nats = functional.binary_cross_entropy_with_logits(outputs.logits.double(), labels.double(), reduction="none")
        return nats.mean(dim=1)
