"""Kullback-Leibler divergence: how far the pruned model's probabilities are from the dense one's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.metrics.base import MOST_SCORES, Best, Mean, Outputs


@dataclass(frozen=True)
class DivergenceFromDense(Mean):
    """Mean KL(dense, pruned) of the softmax of the outputs, in nats; 0 is the dense model's own answer.

    It needs no labels: it counts how the answers change, not whether they get worse. Its 95 % interval is that of a
    mean, normal approximation.

    Source: Kullback and Leibler 1951, doi:10.1214/aoms/1177729694.
    """

    key: ClassVar[str] = "kl"
    label: ClassVar[str] = "divergence from the dense model (KL)"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "nats"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64 nats, never below 0."""
        if outputs.dense_scores is None:
            raise ValueError("the dense model's scores are needed")
        dense = outputs.dense_scores.double().log_softmax(dim=1)
        pruned = outputs.logits.double().log_softmax(dim=1)
        shares = dense.exp()
        terms = torch.where(shares == 0, 0.0, shares * (dense - pruned))  # what has no share does not count
        return terms.sum(dim=1).clamp_min(0.0)

    def why_not(self, n_classes: int | None) -> Refusal | None:
        """The dense model's scores are held for so many classes only."""
        if n_classes is not None and n_classes > MOST_SCORES:
            return Refusal(f"It holds the dense model's scores, of {MOST_SCORES:,} classes at most.")
        return None
