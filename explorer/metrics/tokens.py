"""Language models token by token: how often the first choice is right, and how sure the model is of what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import RatioOfSums
from explorer.types import Task


class PerToken(RatioOfSums, Unconditional):
    """What metrics have in common whose value is a sum over texts divided by their tokens.

    Tokens count alike, whatever text they are in; the 95 % interval takes the texts as the sample.
    """

    task: ClassVar[Task] = "tokens"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})


@dataclass(frozen=True)
class TokenAccuracy(PerToken):
    """The share of tokens whose highest output is the right one (top-1)."""

    key: ClassVar[str] = "token_accuracy"
    label: ClassVar[str] = "accuracy of tokens"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a text's right tokens, and how many of its tokens have a label."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        counted = labels >= 0
        right = outputs.logits.argmax(dim=-1).eq(labels) & counted
        return torch.stack([right.double().sum(dim=1), counted.double().sum(dim=1)], dim=1)


@dataclass(frozen=True)
class TokenAgreement(PerToken):
    """The share of tokens for which pruned and dense model choose the same; it needs no labels."""

    key: ClassVar[str] = "token_agreement"
    label: ClassVar[str] = "agreement of tokens"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a text's equal choices, and its length."""
        same = outputs.logits.argmax(dim=-1).eq(outputs.dense.view(len(outputs.logits), -1))
        n = torch.full((len(same),), float(same.shape[1]), dtype=torch.float64)
        return torch.stack([same.double().sum(dim=1), n], dim=1)


@dataclass(frozen=True)
class TokenLoss(PerToken):
    """Mean cross-entropy of a token: -log of the probability given to the right one; 0 is perfect."""

    key: ClassVar[str] = "token_loss"
    label: ClassVar[str] = "loss of a token"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "nats"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a text's summed negative log-likelihood in nats, and its number of tokens."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        flat = outputs.logits.double().flatten(0, 1)
        nats = functional.cross_entropy(flat, labels.clamp_min(0).flatten(), reduction="none").view(labels.shape)
        counted = (labels >= 0).double()
        return torch.stack([(nats * counted).sum(dim=1), counted.sum(dim=1)], dim=1)
