"""The one place that decides which units go."""

from __future__ import annotations

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.ranking.order import smallest_mask


def keep_mask(scores: Tensor, n_pruned: int) -> Tensor:
    """(n,) scores -> (n,) bool, True keeps. Exactly ``n_pruned`` go, lowest first, ties in index order."""
    n = scores.numel()
    if not 0 <= n_pruned <= n:
        raise ExplorerError(f"{n_pruned} of {n} units cannot be pruned.", fix=f"Ask for 0 to {n}.")
    return smallest_mask(scores.reshape(-1), n_pruned)
