"""The signed weights of one layer as a histogram, and which bell they fit: normal or Laplace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.analysis.statistics import finite_chunks
from explorer.ranking.order import Magnitudes

Family = Literal["normal", "laplace"]


@dataclass(frozen=True)
class Fit:
    """A distribution fitted by maximum likelihood.

    ``location`` and ``spread`` are mean and standard deviation (normal) or median and mean absolute deviation
    from it (Laplace). ``log_likelihood`` is the sum over all n weights, in nats; both families have two
    parameters, so ``aic`` = 4 - 2 log-likelihood, and the lower one fits better.
    """

    family: Family
    location: float
    spread: float
    log_likelihood: float
    n: int

    @property
    def aic(self) -> float:
        return 4.0 - 2.0 * self.log_likelihood

    def density(self, x: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability density at each x."""
        z = (np.asarray(x, dtype=np.float64) - self.location) / self.spread
        if self.family == "normal":
            return np.asarray(np.exp(-0.5 * z**2) / (self.spread * math.sqrt(2 * math.pi)))
        return np.asarray(np.exp(-np.abs(z)) / (2 * self.spread))


@dataclass(frozen=True)
class SignedHistogram:
    """Exact counts of the signed weights between ``edges``: ``kept`` by the mask, and ``pruned``.

    The fits describe all finite weights, kept or not; they are empty when all weights are equal.
    ``n_not_finite`` weights are in no bin.
    """

    edges: tuple[float, ...]
    kept: tuple[int, ...]
    pruned: tuple[int, ...]
    fits: tuple[Fit, ...]
    n_not_finite: int

    @property
    def better(self) -> Fit | None:
        """The fit with the lower AIC."""
        return min(self.fits, key=lambda fit: fit.aic) if self.fits else None

    @property
    def n(self) -> int:
        """How many weights are in the bins."""
        return sum(self.kept) + sum(self.pruned)


def signed_distribution(weights: Tensor, mask: Tensor | None = None, bins: int = 96) -> SignedHistogram:
    """The histogram of a tensor of any shape with both fits; ``mask`` (True keeps) has its shape."""
    flat = weights.detach().reshape(-1)
    flat = flat if flat.is_floating_point() else flat.float()
    finite = torch.isfinite(flat)
    n_not_finite = int(flat.numel() - finite.sum())
    values = flat[finite] if n_not_finite else flat
    if not values.numel():
        return SignedHistogram((), (), (), (), n_not_finite)
    ranked = Magnitudes.from_scores(values)
    edges = _edges(ranked, bins)
    total = ranked.bins(edges)
    kept = total
    if mask is not None:
        stays = mask.reshape(-1)[finite] if n_not_finite else mask.reshape(-1)
        kept = Magnitudes.from_scores(values[stays.to(values.device)]).bins(edges)
    pruned = total - kept
    return SignedHistogram(tuple(edges), _whole(kept), _whole(pruned), fits(values, ranked), n_not_finite)


def fits(values: Tensor, ranked: Magnitudes | None = None) -> tuple[Fit, ...]:
    """The normal and the Laplace fit of finite values; none when they are all equal.

    Source: maximum-likelihood estimates, Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions,
    chapters 13 (normal) and 24 (Laplace).
    """
    flat = values.detach().reshape(-1)
    n = flat.numel()
    if not n or bool((flat == flat[0]).all()):
        return ()
    ranked = ranked or Magnitudes.from_scores(flat)
    mean = sum(float(piece.sum()) for piece in finite_chunks(flat)) / n
    std = math.sqrt(sum(float((piece - mean).square().sum()) for piece in finite_chunks(flat)) / n)
    median = ranked.quantile(0.5)
    deviation = sum(float((piece - median).abs().sum()) for piece in finite_chunks(flat)) / n
    normal = Fit("normal", mean, std, -n / 2 * (math.log(2 * math.pi * std**2) + 1), n)
    return normal, Fit("laplace", median, deviation, -n * (math.log(2 * deviation) + 1), n)


def _edges(ranked: Magnitudes, bins: int) -> list[float]:
    """Even edges, with one of them at zero so that no bar straddles it, in the tensor's own type."""
    low, high = ranked.kth_smallest(0), ranked.kth_smallest(ranked.size - 1)
    if low == high:
        half = abs(low) / 2 or 0.5
        return [low - half, low + half]
    step = (high - low) / bins
    first, last = math.floor(low / step), math.ceil(high / step)
    spread = np.arange(first, last + 1) * step
    spread[0], spread[-1] = min(spread[0], low), max(spread[-1], high)
    edges = torch.unique(torch.from_numpy(spread).to(ranked.dtype).double())
    return [float(edge) for edge in edges]


def _whole(counts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(n) for n in counts)
