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
_DENSEST = 2.5  # how much more densely the narrowest margins are sampled than the widest
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
    return Strata(of, 1 + (_DENSEST - 1) * (1 - rank))


def paired_mean(values: Tensor, strata: Strata, sampled: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over all N of values in {-1, 0, 1}, and its standard error, from a sample.

    ``values`` (..., n) of the samples ``sampled`` (n,); both results (...). Slightly more than one non-zero
    value beyond those seen is reckoned with, somewhere, so that a sample without any does not seem certain: the same
    caution as in the adjusted interval of a whole sample. The error shrinks to zero as the
    sample becomes the whole.
    """
    values = values.double()
    parts = _Parts(strata, sampled)
    changed = parts.sums(values.abs())
    pooled = (changed.sum(dim=-1, keepdim=True) + 1.0) / (values.shape[-1] + 1.0)
    at = parts.sums(values) / parts.n.clamp_min(1)
    rate = (changed + _SHRINK * pooled) / (parts.n + _SHRINK)
    spread = (rate - at * at).clamp_min(1e-9) * parts.n / (parts.n - 1).clamp_min(1)
    # One sample of a part moves the mean by so much; one that was not seen lies here with this part's share.
    unseen = parts.shares / parts.n.clamp_min(1)
    variance = (parts.shares.square() * spread / parts.n.clamp_min(1) + _UNSEEN * parts.shares * unseen**2) * parts.left
    variance = torch.where(parts.n > 0, variance, parts.shares.square())
    return (at * parts.shares).sum(dim=-1), variance.sum(dim=-1).sqrt()


def mean_of(values: Tensor, strata: Strata, sampled: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over all N of any values (a loss), (..., n), and its standard error, from a sample."""
    values = values.double()
    parts = _Parts(strata, sampled)
    whole = values.mean(dim=-1, keepdim=True)
    overall = values.var(dim=-1, keepdim=True) if values.shape[-1] > 1 else torch.zeros_like(whole)
    at = torch.where(parts.n > 0, parts.sums(values) / parts.n.clamp_min(1), whole)
    away = (values - at.gather(-1, parts.of.expand(values.shape))).square()
    spread = torch.where(parts.n > 1, parts.sums(away) / (parts.n - 1).clamp_min(1), overall)
    variance = parts.shares.square() * spread / parts.n.clamp_min(1) * parts.left
    return (at * parts.shares).sum(dim=-1), variance.sum(dim=-1).sqrt()


class _Parts:
    """How a sample lies in the strata: ``n`` of each were sampled, ``left`` is the share of each that was not.

    ``shares`` are the strata's shares of all; all (strata,). ``of`` (n,) says which part a sample is of.
    """

    def __init__(self, strata: Strata, sampled: Tensor) -> None:
        sizes = strata.sizes
        self.of = strata.of[sampled]
        self._member = torch.nn.functional.one_hot(self.of, len(sizes)).double()
        self.n = self._member.sum(dim=0)
        self.shares = sizes / sizes.sum()
        self.left = 1 - self.n / sizes

    def sums(self, values: Tensor) -> Tensor:
        """(..., n) -> (..., strata): each part's values added up."""
        return values @ self._member


def looks_at(n: int, *, first: int, step: int, n_looks: int = 14) -> tuple[int, ...]:
    """Sample sizes at which to look: geometric from ``first``, whole ``step``s, below ``n``, and ``n`` itself.

    Each further look widens every interval a little, and lets a sample end nearer to where it is large enough.
    """
    most = 0.9 * n
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
