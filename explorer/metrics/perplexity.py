"""Perplexity: among how many tokens a language model is torn, on average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Outputs, Task
from explorer.metrics.interval import Z_95, Interval


@dataclass(frozen=True)
class Perplexity:
    """exp of the mean negative log-likelihood of the tokens; 1 is perfect, the vocabulary's size is guessing.

    Tokens count alike, whatever text they are in. Its 95 % interval takes the texts as the sample: the
    ratio of summed log-likelihoods to summed tokens, normal approximation, then exp.
    """

    key: ClassVar[str] = "perplexity"
    unit: ClassVar[str] = "x"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "tokens"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a text's summed negative log-likelihood in nats, and its number of tokens."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        flat = outputs.logits.double().flatten(0, 1)
        nats = functional.cross_entropy(flat, labels.clamp_min(0).flatten(), reduction="none").view(labels.shape)
        counted = (labels >= 0).double()
        return torch.stack([(nats * counted).sum(dim=1), counted.sum(dim=1)], dim=1)

    def total(self, values: Tensor) -> float:
        """The perplexity of all tokens; NaN without any."""
        nats, tokens = values.sum(dim=0).tolist() if len(values) else (0.0, 0.0)
        return _exp(nats / tokens) if tokens else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The interval over texts; None for fewer than two or values that are not finite."""
        if len(values) < 2 or not bool(torch.isfinite(values).all()) or not float(values[:, 1].sum()):
            return None
        mean = float(values[:, 0].sum() / values[:, 1].sum())
        residuals = (values[:, 0] - mean * values[:, 1]) / values[:, 1].mean()
        half = Z_95 * float(residuals.std()) / math.sqrt(len(values))
        return Interval(_exp(mean - half), _exp(mean + half))

    def why_not(self, n_classes: int | None) -> str | None:
        """Nothing stands against it."""
        return None


def _exp(nats: float) -> float:
    return math.exp(nats) if nats < 700 else math.inf
