"""Whether two lists of scores put things in the same order."""

from __future__ import annotations

import torch
from torch import Tensor


def spearman(first: Tensor, second: Tensor) -> float:
    """Rank correlation of two lists of equal length, -1 to 1; equal scores share the mean of their ranks.

    Where one list has a single score only there is no order to compare: 1 if both have, else 0.

    Source: Spearman 1904, "The proof and measurement of association between two things".
    """
    a, b = (ranks - ranks.mean() for ranks in (_ranks(first), _ranks(second)))
    scale = float(a.norm() * b.norm())
    if scale == 0:
        return float(not bool(a.any() or b.any()))
    return max(-1.0, min(1.0, float(a @ b) / scale))


def _ranks(scores: Tensor) -> Tensor:
    """(n,) ranks from 1, ties at their mean, in double."""
    _, place, counts = torch.unique(scores.detach().flatten().double(), return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    ranks: Tensor = (last - (counts - 1) / 2).double()[place]
    return ranks
