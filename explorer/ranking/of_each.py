"""The look-ups of :mod:`explorer.ranking.order` for many tensors at once: far quicker where they are small."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from explorer.ranking.bitkeys import SortedIndex, keys_of, values_of
from explorer.ranking.order import Magnitudes, check_shares, smallest_mask
from explorer.ranking.together import order_within
from explorer.types.small import joined, small_by_type


def quantiles_of_each(ranked: Mapping[str, Magnitudes], shares: Sequence[float]) -> dict[str, list[float]]:
    """``ranked[name].quantiles(shares)`` of each name; none of them may be empty."""
    check_shares(shares)
    quantiles = {name: part.quantiles(shares) for name, part in ranked.items() if not _is_sorted(part)}
    for dtype, names in _sorted_by_type(ranked).items():
        indexes = [ranked[name].index for name in names]
        keys = np.concatenate([index.keys for index in indexes if isinstance(index, SortedIndex)])
        sizes = np.array([ranked[name].size for name in names])
        ranks = np.array(shares, np.float64) * (sizes[:, None] - 1)
        starts = (np.cumsum(sizes) - sizes)[:, None]
        floors = np.floor(ranks).astype(np.int64)
        low = values_of(keys[starts + floors], dtype)
        high = values_of(keys[starts + np.ceil(ranks).astype(np.int64)], dtype)
        with np.errstate(invalid="ignore"):  # where both are infinite their difference is no number, and not taken
            between = np.where(low == high, low, low + (ranks - floors) * (high - low))
        quantiles.update(zip(names, between.tolist(), strict=True))
    return quantiles


def smallest_masks(scores: Mapping[str, Tensor], counts: Mapping[str, int]) -> dict[str, Tensor]:
    """``smallest_mask(scores[name], counts[name])`` of each name in ``counts``."""
    asked = {name: scores[name] for name in counts}
    masks = dict(_small_masks(asked, counts))
    return {name: masks[name] if name in masks else smallest_mask(asked[name], n) for name, n in counts.items()}


def _small_masks(scores: Mapping[str, Tensor], counts: Mapping[str, int]) -> Iterator[tuple[str, Tensor]]:
    for names in small_by_type(scores).values():
        numbers, sizes = joined(scores, names)
        order = order_within(keys_of(numbers).numpy(), sizes)
        sizes_of = np.array(sizes)
        place = np.arange(len(order)) - np.repeat(np.cumsum(sizes_of) - sizes_of, sizes_of)
        mask = np.empty(len(order), bool)
        mask[order] = place >= np.repeat([counts[name] for name in names], sizes_of)
        yield from zip(names, torch.split(torch.from_numpy(mask), sizes), strict=True)


def _is_sorted(part: Magnitudes) -> bool:
    return isinstance(part.index, SortedIndex) and part.size > 0


def _sorted_by_type(ranked: Mapping[str, Magnitudes]) -> dict[torch.dtype, list[str]]:
    names: dict[torch.dtype, list[str]] = {}
    for name, part in ranked.items():
        if _is_sorted(part):
            names.setdefault(part.dtype, []).append(name)
    return names
