"""Means of a whole set from a stratified sample of it, with intervals that may be looked at again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

_PATHS = 100_000
_UNSEEN = 1.25  # non-zero values to reckon with beyond those that were seen
_SHRINK = 2.0  # samples' worth of the pooled rate that each stratum's own rate is drawn to


@dataclass(frozen=True, eq=False)
class Strata:
    """A partition of N samples: ``of`` (N,) int64 says which part each belongs to, ``rates`` how densely to sample."""

    of: Tensor
    rates: Tensor

    @property
    def sizes(self) -> Tensor:
        """(strata,) how many samples each part has."""
        return torch.bincount(self.of, minlength=len(self.rates)).double()

    def order(self, seed: int) -> Tensor:
        """(N,) all samples in an order whose every beginning holds the parts nearly as their rates say."""
        generator = torch.Generator().manual_seed(seed)
        place = torch.empty(len(self.of), dtype=torch.float64)
        for k in range(len(self.rates)):
            members = torch.nonzero(self.of == k).flatten()
            shuffled = members[torch.randperm(len(members), generator=generator)]
            steps = torch.arange(len(members), dtype=torch.float64) + torch.rand(1, generator=generator).double()
            place[shuffled] = steps / (len(members) * self.rates[k])
        return place.argsort()


def margin_strata(margin: Tensor, right: Tensor | None, n_parts: int = 4) -> Strata:
    """Parts by the dense model's margin and by whether it is right; narrow margins are sampled more densely.

    Where the dense model is nearly undecided a pruned one changes its mind most: most of the
    variance of a paired difference sits there. ``margin`` (N,), ``right`` (N,) 0 or 1 or None.
    """
    n = len(margin)
    part = torch.empty(n, dtype=torch.int64)
    part[margin.argsort()] = torch.arange(n) * n_parts // max(1, n)
    whole = part if right is None else part * 2 + right.long()
    names, of = torch.unique(whole, return_inverse=True)
    medians = torch.stack([margin[of == k].double().median() for k in range(len(names))])
    rank = medians.argsort().argsort().double() / max(1, len(names) - 1)
    return Strata(of, 1 + (n_parts - 1) * (1 - rank))


def paired_mean(values: Tensor, strata: Strata, sampled: Tensor) -> tuple[float, float]:
    """The mean over all N of values in {-1, 0, 1}, and its standard error, from a sample.

    ``values`` (n,) of the samples ``sampled`` (n,). Slightly more than one non-zero value beyond those seen is
    reckoned with, somewhere, so that a sample without any does not seem certain: the same
    caution as in the adjusted interval of a whole sample. The error shrinks to zero as the
    sample becomes the whole.
    """
    values = values.double()
    pooled = (float(values.abs().sum()) + 1.0) / (len(values) + 1.0)
    mean = variance = 0.0
    for share, n, size, part in _parts(values, strata, sampled):
        if n == 0:
            variance += share * share
            continue
        at = float(part.mean())
        rate = (float(part.abs().sum()) + _SHRINK * pooled) / (n + _SHRINK)
        spread = max(rate - at * at, 1e-9) * n / max(1, n - 1)
        unseen = share / n  # one sample of this part moves the mean so much; it lies here with this part's share
        variance += (share * share * spread / n + _UNSEEN * share * unseen * unseen) * (1 - n / size)
        mean += share * at
    return mean, float(variance**0.5)


def mean_of(values: Tensor, strata: Strata, sampled: Tensor) -> tuple[float, float]:
    """The mean over all N of any values (a loss), and its standard error, from a sample."""
    values = values.double()
    mean = variance = 0.0
    overall = float(values.var()) if len(values) > 1 else 0.0
    for share, n, size, part in _parts(values, strata, sampled):
        spread = float(part.var()) if n > 1 else overall
        mean += share * (float(part.mean()) if n else float(values.mean()))
        variance += share * share * spread / max(1, n) * (1 - n / size)
    return mean, float(variance**0.5)


def _parts(values: Tensor, strata: Strata, sampled: Tensor) -> list[tuple[float, int, float, Tensor]]:
    """For each part: its share of all, how many were sampled, its size, their values."""
    of, sizes = strata.of[sampled], strata.sizes
    total = float(sizes.sum())
    found = []
    for k, size in enumerate(sizes.tolist()):
        part = values[of == k]
        found.append((size / total, len(part), size, part))
    return found


def looks_at(n: int, *, first: int, step: int, n_looks: int = 9) -> tuple[int, ...]:
    """Sample sizes at which to look: geometric from ``first``, whole ``step``s, below ``n``, and ``n`` itself."""
    most = 0.8 * n
    if first >= most:
        return (n,)
    ratio = (most / first) ** (1 / max(1, n_looks - 1))
    sizes = {min(n, step * max(1, round(first * ratio**i / step))) for i in range(n_looks)}
    return (*sorted(size for size in sizes if size < n), n)


@lru_cache(maxsize=64)
def boundary(looks: Sequence[int], level: float = 0.95) -> float:
    """How many standard errors wide an interval must be so that all looks together hold with this probability.

    ``looks`` are sample sizes, the last one the whole set (where nothing is uncertain). The
    error of a growing sample without replacement is a Brownian motion in the time n / (N - n);
    the quantile of its largest standardised value is simulated, always with the same numbers.

    Source: repeated significance tests as in Pocock 1977, doi:10.1093/biomet/64.2.191.
    """
    n = looks[-1]
    times = np.array([look / (n - look) for look in looks[:-1]])
    if not len(times):
        return 1.96
    steps = np.sqrt(np.diff(times, prepend=0.0))
    path = np.zeros(_PATHS)
    largest = np.zeros(_PATHS)
    generator = np.random.default_rng(0)
    for step, time in zip(steps, times, strict=True):
        path += step * generator.standard_normal(_PATHS)
        np.maximum(largest, np.abs(path) / np.sqrt(time), out=largest)
    return float(np.quantile(largest, level))
