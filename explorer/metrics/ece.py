"""Expected calibration error: how far confidence is from the share of right answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import Interval
from explorer.types import Task

N_BINS = 15
_N_DRAWS = 1000


@dataclass(frozen=True)
class ExpectedCalibrationError(Unconditional):
    """Sum over 15 bins of confidence, equally wide from 0 to 1, of (share of samples) x |accuracy - mean confidence|.

    Confidence is the highest probability of the softmax. 0 is perfectly calibrated. With few samples in a bin
    chance alone lifts it: compare models on the same samples, and see the interval.

    The 95 % interval is a Poisson bootstrap over samples (each sample is drawn Poisson(1) times, which makes the
    bins independent; their sums are drawn from the normal distribution with the same mean and variance, 1,000
    draws, a fixed seed), reversed about the estimate, because absolute values make every resample too large.

    Source: Naeini, Cooper and Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602; 15 bins as in Guo et al. 2017,
    arXiv:1706.04599. Reversed ("basic") bootstrap: Davison and Hinkley 1997, section 5.2.
    """

    key: ClassVar[str] = "ece"
    label: ClassVar[str] = "expected calibration error"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "classes"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: confidence, and 1 where the first choice is right."""
        confidence, chosen = outputs.logits.double().softmax(dim=1).max(dim=1)
        return torch.stack([confidence, chosen.eq(outputs.labels).double()], dim=1)  # type: ignore[arg-type]

    def total(self, values: Tensor) -> float:
        """The error over all samples; NaN without any, or where outputs are not finite."""
        if not len(values) or not bool(values.isfinite().all()):
            return float("nan")
        return float(_sums(values)[0].abs().sum() / len(values))

    def interval(self, values: Tensor) -> Interval | None:
        """The interval by bootstrap; None for fewer than two samples or values that are not finite."""
        if len(values) < 2 or not bool(values.isfinite().all()):
            return None
        sums, squares = _sums(values)
        noise = torch.randn(_N_DRAWS, N_BINS, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        draws = (sums + squares.sqrt() * noise).abs().sum(dim=1) / len(values)
        low, high = torch.quantile(draws, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
        value = self.total(values)
        return Interval(max(0.0, min(2 * value - high, value)), max(2 * value - low, value))


def _sums(values: Tensor) -> tuple[Tensor, Tensor]:
    """(n, 2) confidence and rightness -> (bins,) sums of their difference, and of its square."""
    confidence, right = values.unbind(dim=1)
    # A confidence on an edge belongs to the bin below, as in (0, 1/15], (1/15, 2/15], ...
    bins = (confidence * N_BINS).ceil().long().clamp(1, N_BINS) - 1
    difference = right - confidence
    zeros = torch.zeros(N_BINS, dtype=torch.float64)
    return zeros.index_add(0, bins, difference), zeros.index_add(0, bins, difference.square())
