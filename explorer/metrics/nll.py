"""Negative log-likelihood: what a scoring rule takes away for the probability given to the right class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.metrics.loss import Loss


@dataclass(frozen=True)
class NegativeLogLikelihood(Loss):
    """Mean of -log p(right class) under the softmax of the outputs, in nats; 0 is perfect.

    For classes it is the cross-entropy loss under the name that reports of calibration use. Its 95 % interval is
    that of a mean, normal approximation.

    Source: Good 1952, doi:10.1111/j.2517-6161.1952.tb00104.x (the logarithmic score).
    """

    key: ClassVar[str] = "nll"
    label: ClassVar[str] = "negative log-likelihood"
