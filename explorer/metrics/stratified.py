"""Means of a whole set from a stratified sample of it, with intervals that may be looked at again and again."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

_UNSEEN = 2.2  # non-zero values to reckon with beyond those that were seen: with 2 errors' width, the rule of three
_DENSEST = 2.0  # how much more densely the narrowest margins are sampled than the widest
_SHRINK = 2.0  # samples' worth of the pooled spread that each part's own spread is drawn to
_OWN = 4.0  # samples' worth of nothing that each kind's own mean is drawn to

# All of an estimate's intervals, one a look, hold together with 95 %. The final one is the first that is narrow
# enough: that the error's size ends the sampling, not the estimate itself, costs it nothing. So it may be nearly
# as narrow as if it were alone; those before it share what little is left.
# Source: Chow & Robbins 1965, doi:10.1214/aoms/1177700156 (intervals of fixed width).
_PARTIAL = 0.01
FINAL = NormalDist().inv_cdf(1 - (0.05 - _PARTIAL) / 2)  # standard errors to either side


@dataclass(frozen=True, eq=False)
class Strata:
    """A partition of N samples: ``of`` (N,) int64 says which part each belongs to, ``rates`` how densely to sample.

    ``kinds`` (N,) int64, another partition or None, says which samples are likely to change together.
    """

    of: Tensor
    rates: Tensor
    kinds: Tensor | None = None

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


def margin_strata(margin: Tensor, right: Tensor | None, classes: Tensor | None = None, n_parts: int = 4) -> Strata:
    """Parts by the dense model's margin and by whether it is right; narrow margins are sampled more densely.

    Where the dense model is nearly undecided a pruned one changes its mind most: most of the
    variance of a paired difference sits there. A badly pruned one forgets whole classes: the kinds are the
    dense model's ``classes`` (N,), those it is wrong about apart. ``margin`` (N,), ``right`` (N,) 0 or 1 or None.
    """
    n = len(margin)
    part = torch.empty(n, dtype=torch.int64)
    part[margin.argsort()] = torch.arange(n) * n_parts // max(1, n)
    whole = part if right is None else part * 2 + right.long()
    names, of = torch.unique(whole, return_inverse=True)
    medians = torch.stack([margin[of == k].double().median() for k in range(len(names))])
    rank = medians.argsort().argsort().double() / max(1, len(names) - 1)
    kinds = None
    if classes is not None:
        kinds = torch.unique(classes if right is None else torch.where(right > 0, classes, -1), return_inverse=True)[1]
    return Strata(of, 1 + (_DENSEST - 1) * (1 - rank), kinds)


def paired_mean(values: Tensor, strata: Strata, sampled: Tensor) -> tuple[Tensor, Tensor]:
    """The mean over all N of values in {-1, 0, 1}, and its standard error, from a sample.

    ``values`` (..., n) of the samples ``sampled`` (n,); both results (...). What the kinds explain is known
    of the samples that were not drawn too, and only the rest is uncertain. Some non-zero values beyond those
    seen are reckoned with, somewhere, so that a sample without any does not seem certain: the same
    caution as in the adjusted interval of a whole sample. The error shrinks to zero as the
    sample becomes the whole.

    Source: Särndal, Swensson & Wretman 1992, doi:10.1007/978-1-4612-4378-6, chapter 6 (difference estimator,
    each sample predicted from the others).
    """
    values = values.double()
    parts = _Parts(strata, sampled)
    n = parts.n.clamp_min(1)
    pooled = (values.abs().sum(dim=-1, keepdim=True) + 1.0) / (values.shape[-1] + 1.0)
    at = parts.sums(values) / n
    explained, rest = _explained(values - at[..., parts.of], strata, parts)
    spread = (parts.sums(rest.square()) + _SHRINK * pooled) / (parts.n - 1 + _SHRINK).clamp_min(1)
    # One sample of a part moves the mean by so much; one that was not seen lies here with this part's share.
    unseen = parts.shares / n
    variance = (parts.shares.square() * spread / n + _UNSEEN * parts.shares * unseen**2) * parts.left
    variance = torch.where(parts.n > 0, variance, parts.shares.square())
    return (at * parts.shares).sum(dim=-1) + explained, variance.sum(dim=-1).sqrt()


def _explained(away: Tensor, strata: Strata, parts: _Parts) -> tuple[Tensor, Tensor]:
    """How far the kinds move the mean (...), and what they leave of the deviations (..., n) from the parts' means."""
    kinds = torch.zeros_like(strata.of) if strata.kinds is None else strata.kinds
    mine, n_kinds = kinds[parts.sampled], int(kinds.max()) + 1
    member = torch.nn.functional.one_hot(mine, n_kinds).double()
    n, sums = member.sum(dim=0), away @ member
    everywhere = torch.bincount(strata.of * n_kinds + kinds, minlength=len(parts.n) * n_kinds).view(-1, n_kinds)
    surplus = everywhere / strata.sizes[:, None] - parts.sums(member.T).T / parts.n.clamp_min(1)[:, None]
    surplus = torch.where(parts.n[:, None] > 0, surplus, 0.0)
    shift = (sums / (n + _OWN)) @ (parts.shares @ surplus)
    return shift, away - (sums[..., mine] - away) / (n[mine] - 1 + _OWN)  # each one told by the others of its kind


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
        self.sampled = sampled
        self.of = strata.of[sampled]
        self._member = torch.nn.functional.one_hot(self.of, len(sizes)).double()
        self.n = self._member.sum(dim=0)
        self.shares = sizes / sizes.sum()
        self.left = 1 - self.n / sizes

    def sums(self, values: Tensor) -> Tensor:
        """(..., n) -> (..., strata): each part's values added up."""
        return values @ self._member


def looks_at(n: int, *, first: int, step: int, n_looks: int = 16) -> tuple[int, ...]:
    """Sample sizes at which to look: geometric from ``first``, whole ``step``s, below ``n``, and ``n`` itself.

    More looks let a sample end nearer to where it is large enough.
    """
    most = 0.9 * n
    if first >= most:
        return (n,)
    ratio = (most / first) ** (1 / max(1, n_looks - 1))
    sizes = {min(n, step * max(1, round(first * ratio**i / step))) for i in range(n_looks)}
    return (*sorted(size for size in sizes if size < n), n)


def partial_width(n_looks: int) -> float:
    """How many standard errors the intervals before the final one reach to either side.

    They are ``n_looks`` - 1 at most and share what may miss equally (Bonferroni).
    """
    return NormalDist().inv_cdf(1 - _PARTIAL / max(1, n_looks - 1) / 2)
