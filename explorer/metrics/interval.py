"""95 % intervals for shares, paired differences of shares, and means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

_GROUPS = 40  # of samples, of which a jackknife leaves one out
Z_95 = 1.959963984540054  # the standard normal quantile at 0.975


class Interval(NamedTuple):
    """The ends of a 95 % interval; a value is inside when ``low <= value <= high``."""

    low: float
    high: float


def wilson(n_true: int, n: int) -> Interval:
    """The interval of a share: ``n_true`` of ``n`` samples. Never empty at 0 or n; 0..1 when n is 0.

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953; recommended by Brown, Cai and
    DasGupta 2001, doi:10.1214/ss/1009213286.
    """
    if n == 0:
        return Interval(0.0, 1.0)
    share, z2 = n_true / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At the ends the formula gives exactly 0 and 1; rounding must not lose them.
    low = 0.0 if n_true == 0 else centre - half
    return Interval(low, 1.0 if n_true == n else centre + half)


def paired_difference(only_first: int, only_second: int, n: int) -> Interval:
    """The interval of ``share of first - share of second`` over the same ``n`` samples.

    ``only_first`` counts the samples where the first is right and the second is not, and the
    other way round. One is added to each count and two to ``n`` (adjusted Wald), which keeps
    the coverage near 95 % also for few samples. -1..1 when n is 0; the measured difference is
    always inside.

    Source: Bonett and Price 2012, doi:10.3102/1076998611411915.
    """
    if n == 0:
        return Interval(-1.0, 1.0)
    first, second = (only_first + 1) / (n + 2), (only_second + 1) / (n + 2)
    centre = first - second
    half = Z_95 * math.sqrt((first + second - centre * centre) / (n + 2))
    measured = (only_first - only_second) / n
    return Interval(max(-1.0, min(centre - half, measured)), min(1.0, max(centre + half, measured)))


def normal_mean(values: Tensor) -> Interval | None:
    """The interval of a mean by the normal approximation; None for fewer than two values or NaN.

    ``values``: (n,) one number a sample.
    """
    if len(values) < 2 or not bool(torch.isfinite(values).all()):
        return None
    values = values.double()
    half = Z_95 * float(values.std()) / math.sqrt(len(values))
    mean = float(values.mean())
    return Interval(mean - half, mean + half)


def ratio(sums: Tensor, counts: Tensor) -> Interval | None:
    """The interval of ``sum of sums / sum of counts`` over n units, normal approximation of the ratio estimator.

    Both (n,). None for fewer than two units, nothing counted, or values that are not finite.
    """
    total = float(counts.sum())
    if len(sums) < 2 or not total or not bool(torch.isfinite(sums).all() and torch.isfinite(counts).all()):
        return None
    value = float(sums.sum()) / total
    residuals = (sums.double() - value * counts.double()) * len(sums) / total
    half = Z_95 * float(residuals.std()) / math.sqrt(len(sums))
    return Interval(value - half, value + half)


class RatioOfSums:
    """What metrics have in common that divide one sum over samples by another: ``per_sample`` gives (n, 2) of them."""

    def total(self, values: Tensor) -> float:
        """The ratio of the two sums; NaN where there is nothing to divide by."""
        top, bottom = values.sum(dim=0).tolist() if len(values) else (0.0, 0.0)
        return top / bottom if bottom else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The interval over samples; None for fewer than two or values that are not finite."""
        return ratio(values[:, 0], values[:, 1])


def jackknife(value: Callable[[Tensor], float], samples: Tensor) -> Interval | None:
    """The 95 % interval of ``value(samples)``; None for fewer than two samples or a spread that is not finite.

    Source: Efron & Stein 1981, doi:10.1214/aos/1176345462 (the jackknife's variance is no underestimate on average).
    """
    n_groups = min(_GROUPS, len(samples))
    if n_groups < 2:
        return None
    group = torch.arange(len(samples)) % n_groups
    left = torch.tensor([value(samples[group != k]) for k in range(n_groups)], dtype=torch.float64)
    half = Z_95 * math.sqrt((n_groups - 1) / n_groups * float((left - left.mean()).square().sum()))
    middle = value(samples)
    return Interval(middle - half, middle + half) if math.isfinite(half) else None
