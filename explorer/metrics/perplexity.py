"""Perplexity: among how many tokens a language model is torn, on average."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.metrics.base import Best
from explorer.metrics.interval import Interval
from explorer.metrics.tokens import TokenLoss


@dataclass(frozen=True)
class Perplexity(TokenLoss):
    """exp of the mean negative log-likelihood of the tokens; 1 is perfect, the vocabulary's size is guessing.

    Its 95 % interval is that of the mean, normal approximation over texts, then exp.
    """

    key: ClassVar[str] = "perplexity"
    label: ClassVar[str] = "perplexity"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "x"

    def total(self, values: Tensor) -> float:
        """The perplexity of all tokens; NaN without any."""
        return _exp(super().total(values))

    def interval(self, values: Tensor) -> Interval | None:
        """The interval over texts; None for fewer than two or values that are not finite."""
        in_nats = super().interval(values)
        return None if in_nats is None else Interval(_exp(in_nats.low), _exp(in_nats.high))


def _exp(nats: float) -> float:
    return math.inf if nats >= 700 else math.exp(nats)
