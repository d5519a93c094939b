"""The one place that decides which units go."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.ranking.of_each import smallest_masks
from explorer.ranking.order import smallest_mask


def keep_mask(scores: Tensor, n_pruned: int) -> Tensor:
    """(n,) scores -> (n,) bool, True keeps. Exactly ``n_pruned`` go, lowest first, ties in index order."""
    _check(scores, n_pruned)
    return smallest_mask(scores.reshape(-1), n_pruned)


def keep_masks(scores: Mapping[str, Tensor], n_pruned: Mapping[str, int]) -> dict[str, Tensor]:
    """:func:`keep_mask` of each name in ``n_pruned``: quicker together where there are many."""
    for name, n in n_pruned.items():
        _check(scores[name], n)
    return smallest_masks({name: scores[name].reshape(-1) for name in n_pruned}, n_pruned)


def _check(scores: Tensor, n_pruned: int) -> None:
    n = scores.numel()
    if not 0 <= n_pruned <= n:
        raise ExplorerError(f"{n_pruned} of {n} units cannot be pruned.", fix=f"Ask for 0 to {n}.")
