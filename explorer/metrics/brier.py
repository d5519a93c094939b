"""Brier score: how far the probabilities are from what came true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, Mean, Outputs


@dataclass(frozen=True)
class Brier(Mean):
    """Mean over samples of the sum over classes of (probability - truth)^2, truth being 1 or 0.

    From 0 (certain and right) to 2 (certain and wrong); this is Brier's own form, twice the one that counts only
    one of two classes. Its 95 % interval is that of a mean, normal approximation.

    Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """

    key: ClassVar[str] = "brier"
    label: ClassVar[str] = "Brier score"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "of 2"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64."""
        probabilities = outputs.logits.double().softmax(dim=1)
        truth = functional.one_hot(outputs.labels, probabilities.shape[1])  # type: ignore[arg-type]
        return (probabilities - truth).square().sum(dim=1)
