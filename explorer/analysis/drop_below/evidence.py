"""Whether a mean is below a limit, looked at as often as one likes while samples come in."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.metrics.interval import Interval

ERROR = 0.05
# Shares of the largest bet that no difference can lose, and how much of the evidence each begins with: half of it is
# for differences that are nearly all the same, where a large bet gains most.
_BETS = 0.999 * 0.8 ** torch.arange(31, dtype=torch.float64)
_WEIGHTS = torch.tensor([0.5, *[0.5 / (len(_BETS) - 1)] * (len(_BETS) - 1)], dtype=torch.float64)
_HALVINGS = 40


def tallied(differences: Tensor) -> Tensor:
    """How many are -1, 0 and 1: (3,) float64 of (n,) differences."""
    return torch.stack([(differences == value).sum() for value in (-1, 0, 1)]).double()


def tallied_so_far(differences: Tensor) -> Tensor:
    """The same after each sample: (n, 3) float64."""
    return torch.stack([(differences == value).cumsum(0) for value in (-1, 0, 1)], dim=1).double()


def log_evidence_below(counts: Tensor, limit: float) -> Tensor:
    """The logarithm of the evidence that the mean of differences is below ``limit`` (-1 to 1, exclusive).

    ``counts``: (..., 3), how many of the differences are -1, 0 and 1; the result is (...).

    If the mean is not below, the evidence ever reaches 1/a with a probability of at most a, however often one looks.
    It is the weighted mean over fixed bets b of the product over samples of 1 + b (limit - difference): for a mean of
    ``limit`` or more no such product is expected to grow (a non-negative supermartingale), so Ville's inequality
    bounds it. In an order that is stratified by class each round over the classes has that property, for the product
    of unequal factors is at most that of equal ones of the same mean.

    Source: Waudby-Smith & Ramdas 2024, doi:10.1093/jrsssb/qkad009 (betting on bounded means); Robbins 1970,
    doi:10.1214/aoms/1177696786 (mixtures of martingales).
    """
    bets = _BETS / (1 - limit)
    gains = torch.stack([torch.log1p(bets * (limit - difference)) for difference in (-1, 0, 1)])
    return torch.logsumexp(counts @ gains + _WEIGHTS.log(), dim=-1)


def log_evidence_above(counts: Tensor, limit: float) -> Tensor:
    """The same for a mean above ``limit``: that of the negated differences below its negative."""
    return log_evidence_below(counts.flip(-1), -limit)


def anytime_interval(counts: Tensor, error: float = ERROR) -> Interval:
    """An interval of the mean difference that holds at every number of samples at once, with 1 - ``error``.

    So it still holds where one stopped because of what was seen. The measured mean is always inside.
    """
    needed = math.log(2 / error)
    mean = float((counts[2] - counts[0]) / counts.sum().clamp_min(1))
    low = _last_refused(-1.0, mean, lambda limit: float(log_evidence_above(counts, limit)) >= needed)
    high = _last_refused(1.0, mean, lambda limit: float(log_evidence_below(counts, limit)) >= needed)
    return Interval(low, high)


def _last_refused(end: float, mean: float, is_refused: Callable[[float], bool]) -> float:
    """Where, between the end of the range and the mean, the values begin that are not refused."""
    outer, inner = end, mean
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        if abs(middle) < 1 and is_refused(middle):
            outer = middle
        else:
            inner = middle
    return outer
