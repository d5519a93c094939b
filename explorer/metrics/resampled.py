"""Intervals of numbers that are no mean over samples: a jackknife over groups of samples, leaving one group out."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.metrics.interval import Z_95, Interval

GROUPS = 40


def jackknife(value: Callable[[Tensor], float], samples: Tensor) -> Interval | None:
    """The 95 % interval of ``value(samples)``; None for fewer than two samples or a spread that is not finite.

    Source: Efron & Stein 1981, doi:10.1214/aos/1176345462 (the jackknife's variance is no underestimate on average).
    """
    n_groups = min(GROUPS, len(samples))
    if n_groups < 2:
        return None
    group = torch.arange(len(samples)) % n_groups
    left = torch.tensor([value(samples[group != k]) for k in range(n_groups)], dtype=torch.float64)
    half = Z_95 * math.sqrt((n_groups - 1) / n_groups * float((left - left.mean()).square().sum()))
    middle = value(samples)
    return Interval(middle - half, middle + half) if math.isfinite(half) else None
