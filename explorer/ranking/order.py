"""Exact thresholds, counts and rankings of magnitudes and scores, without sorting them.

Whatever needs a quantile, a threshold, a histogram on the screen or a ranking over all layers
asks here. Answers equal those of sorting; memory stays bounded for any size (float64 excepted:
it is sorted). NaN is refused; infinities and denormals are ordinary values; -0.0 equals 0.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial, reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.ranking.bitkeys import (
    BINS,
    Counts,
    HistogramIndex,
    Keys,
    SortedIndex,
    chunks,
    index_of,
    integer_type,
    key_of,
    keys_of,
    value_of,
    values_of,
)
from explorer.ranking.together import sorted_within
from explorer.types.small import SMALL, joined, small_by_type

_SORT_UP_TO = 1 << 17  # below this a sorted copy is smaller than the histogram, and faster


class Magnitudes:
    """Counts, thresholds and quantiles of one tensor's magnitudes or scores, all exact.

    Build it with :meth:`from_weights`, :meth:`from_scores` or :meth:`from_chunks`. It refers to
    a large tensor, never copies it and never writes to it. A look-up takes microseconds; in a
    large float32 tensor the first one near a new value takes one pass.
    """

    def __init__(
        self,
        pieces: Callable[[], Iterable[Tensor]],
        dtype: torch.dtype,
        *,
        absolute: bool,
        sort_up_to: int = _SORT_UP_TO,
        keys: Keys | None = None,
    ) -> None:
        """``keys`` are the sorted keys of all the values, where they are known already."""
        self.dtype = dtype
        self._pieces = pieces
        self._absolute = absolute
        integer_type(dtype)
        self.size: int
        self.index: SortedIndex | HistogramIndex
        if keys is None:
            self.size, self.index = index_of(self.ranked_chunks, dtype, sort_up_to=sort_up_to)
        else:
            self.size, self.index = len(keys), SortedIndex(keys)

    @classmethod
    def from_weights(cls, weights: Tensor) -> Magnitudes:
        """The magnitudes |w| of a floating-point tensor of any shape, on any device."""
        return cls(lambda: (weights,), weights.dtype, absolute=True)

    @classmethod
    def from_scores(cls, scores: Tensor) -> Magnitudes:
        """The values of a floating-point tensor as they are; they may be negative."""
        return cls(lambda: (scores,), scores.dtype, absolute=False)

    @classmethod
    def of_each(cls, tensors: Mapping[str, Tensor], *, absolute: bool = False) -> dict[str, Magnitudes]:
        """:meth:`from_scores` of many tensors (or :meth:`from_weights`); small ones are read together: far quicker."""
        keys: dict[str, Keys] = {}
        for names in small_by_type(tensors).values():
            numbers, sizes = joined(tensors, names)
            ranked = sorted_within(keys_of(numbers, absolute=absolute).numpy(), sizes)
            keys.update(zip(names, np.split(ranked, np.cumsum(sizes)[:-1]), strict=True))
        return {
            name: cls(partial(_alone, tensor), tensor.dtype, absolute=absolute, keys=keys.get(name))
            for name, tensor in tensors.items()
        }

    @classmethod
    def from_chunks(cls, pieces: Callable[[], Iterable[Tensor]], dtype: torch.dtype) -> Magnitudes:
        """The magnitudes of a tensor too large for memory.

        ``pieces()`` yields it piece by piece; it is called once to count, and once more for
        each look-up near a new value in float32.
        """
        return cls(pieces, dtype, absolute=True)

    def __len__(self) -> int:
        return self.size

    def ranked_chunks(self) -> Iterator[Tensor]:
        """Integers that rank like the values, in the tensor's order, in chunks."""
        return chunks(self._pieces(), absolute=self._absolute)

    def count_below(self, value: float) -> int:
        """How many are < ``value``, which is first rounded to the tensor's dtype, as torch does."""
        return self.index.below(self._key(value))

    def sparsity_at(self, value: float) -> float:
        """The share that is < ``value``; 0 for an empty tensor."""
        return self.count_below(value) / self.size if self.size else 0.0

    def kth_smallest(self, k: int) -> float:
        """The value at rank ``k``, counted from 0: ``sorted(values)[k]``."""
        if not 0 <= k < self.size:
            raise ExplorerError(
                f"There is no rank {k} among {self.size} values.",
                why="Ranks start at 0.",
                fix=f"Ask for a rank from 0 to {self.size - 1}." if self.size else "",
            )
        return value_of(self.index.kth(k), self.dtype)

    def threshold_for(self, n_pruned: int) -> float:
        """The lowest value that is kept when the ``n_pruned`` lowest go; inf when all go.

        ``count_below(threshold_for(n)) == n``, unless values tie across the cut: then it is
        smaller, and the others that go are among those equal to the threshold.
        """
        return math.inf if n_pruned == self.size else self.kth_smallest(n_pruned)

    def quantile(self, q: float) -> float:
        """The ``q`` quantile (0..1), linear between neighbouring ranks as in ``numpy.quantile``."""
        return self.quantiles((q,))[0]

    def quantiles(self, shares: Sequence[float]) -> list[float]:
        """:meth:`quantile` for each of them."""
        check_shares(shares)
        ranks = [q * (self.size - 1) for q in shares]
        floors = [math.floor(rank) for rank in ranks]
        lower = self._at_ranks(floors)
        upper = self._at_ranks([math.ceil(rank) for rank in ranks])
        # Where both are infinite their difference is no number.
        return [
            low if low == high else low + (rank - floor) * (high - low)
            for rank, floor, low, high in zip(ranks, floors, lower, upper, strict=True)
        ]

    def _at_ranks(self, ranks: Sequence[int]) -> list[float]:
        if isinstance(self.index, SortedIndex) and self.size:
            return [float(value) for value in values_of(self.index.keys[list(ranks)], self.dtype)]
        return [self.kth_smallest(rank) for rank in ranks]

    def bins(self, edges: Sequence[float] | NDArray[np.float64]) -> Counts:
        """How many lie in each ``[edges[i], edges[i + 1])``; the last one includes its end. Exact.

        ``edges`` rise and are rounded to the tensor's dtype; values outside are not counted.
        """
        keys = [self._key(float(edge)) for edge in edges]
        keys[-1] += 1
        return np.diff(self.index.below_each(keys))

    def converted(self, dtype: torch.dtype) -> Magnitudes:
        """The same values in a wider dtype."""
        return Magnitudes(lambda: (p.to(dtype) for p in self._pieces()), dtype, absolute=self._absolute)

    def _key(self, value: float) -> int:
        if math.isnan(value):
            raise ExplorerError("A threshold cannot be NaN.", fix="Give a number.")
        return key_of(value, self.dtype)


def check_shares(shares: Sequence[float]) -> None:
    """ExplorerError for what is no quantile."""
    outside = next((q for q in shares if not 0 <= q <= 1), None)
    if outside is not None:
        raise ExplorerError(f"{outside} is not a quantile.", fix="Ask for a number from 0 to 1.")


def _alone(tensor: Tensor) -> tuple[Tensor]:
    return (tensor,)


def smallest_mask(scores: Tensor, n: int) -> Tensor:
    """A bool mask of the scores' shape: exactly ``n`` False, lowest first, ties in index order."""
    if n in (0, scores.numel()):
        return torch.full(scores.shape, n == 0, dtype=torch.bool)
    if 0 < n < scores.numel() <= SMALL and scores.device.type == "cpu" and not bool(scores.isnan().any()):
        mask = torch.ones(scores.numel(), dtype=torch.bool)
        mask[scores.detach().reshape(-1).argsort(stable=True)[:n]] = False
        return mask.reshape(scores.shape)
    return global_masks([scores], n)[0]


def global_counts(parts: Sequence[Magnitudes | Tensor], n: int) -> list[int]:
    """How many of the ``n`` lowest values of all parts together lie in each part.

    Tensors are taken as scores. Ties go to the earlier part first. The counts sum to ``n``.
    """
    ranked = _alike([part if isinstance(part, Magnitudes) else Magnitudes.from_scores(part) for part in parts])
    if (cut := _cut(ranked, n)) is None:
        return [part.size if n else 0 for part in ranked]
    below = [part.index.below(cut) for part in ranked]
    equal = [part.index.below(cut + 1) - b for part, b in zip(ranked, below, strict=True)]
    return [b + e for b, e in zip(below, _shares(equal, n - sum(below)), strict=True)]


def global_masks(tensors: Sequence[Tensor], n: int, *, absolute: bool = False) -> list[Tensor]:
    """One bool mask a tensor; together exactly ``n`` False: the lowest scores of all.

    With ``absolute`` the tensors' magnitudes are ranked. Ties go in tensor order, then in
    index order.
    """
    make = Magnitudes.from_weights if absolute else Magnitudes.from_scores
    ranked = _alike([make(t) for t in tensors])
    if (cut := _cut(ranked, n)) is None:
        return [torch.full(t.shape, n == 0, dtype=torch.bool) for t in tensors]
    masks = []
    ties = n - sum(part.index.below(cut) for part in ranked)
    for part, tensor in zip(ranked, tensors, strict=True):
        mask, ties = _mask(part, cut, ties)
        masks.append(mask.reshape(tensor.shape))
    return masks


def _mask(part: Magnitudes, cut: int, ties: int) -> tuple[Tensor, int]:
    """False below the cut and for the first ``ties`` equal to it; then how many ties are left."""
    mask = torch.empty(part.size, dtype=torch.bool)
    start = 0
    for keys in part.ranked_chunks():
        kept = mask[start : start + keys.numel()]
        torch.ge(keys, cut, out=kept)
        start += keys.numel()
        if ties:
            equal = torch.nonzero(keys == cut).flatten()[:ties]
            kept[equal] = False
            ties -= equal.numel()
    return mask, ties


def _shares(available: Sequence[int], total: int) -> list[int]:
    """``total``, taken from the first that have some."""
    shares = []
    for n in available:
        shares.append(min(n, total))
        total -= shares[-1]
    return shares


def _cut(parts: Sequence[Magnitudes], n: int) -> int | None:
    """The key of the lowest value that stays (at rank ``n``); None when none or all go."""
    total = sum(part.size for part in parts)
    if not 0 <= n <= total:
        raise ExplorerError(f"{n} of {total} values cannot be pruned.", fix=f"Ask for a number from 0 to {total}.")
    if n in (0, total):
        return None
    if len(parts) == 1:
        return parts[0].index.kth(n)
    small = [part.index.keys for part in parts if isinstance(part.index, SortedIndex)]
    large = [part.index for part in parts if isinstance(part.index, HistogramIndex)]
    merged = np.concatenate(small) if small else np.zeros(0, np.int32)
    if not large:
        return int(np.partition(merged, n)[n])
    bits = torch.iinfo(integer_type(parts[0].dtype)).bits
    return _merged_kth(SortedIndex(np.sort(merged)), large, n, bits)


def _merged_kth(small: SortedIndex, large: Sequence[HistogramIndex], n: int, bits: int) -> int:
    """The key at rank ``n`` of all indexes together."""
    high = reduce(np.add, (index.high() for index in large), small.high())
    below = np.concatenate([[0], np.cumsum(high)])
    bin_ = int(below.searchsorted(np.int64(n), side="right")) - 1
    if bits == 16:
        return bin_ - BINS // 2
    low = reduce(np.add, (index.low(bin_) for index in large), small.low(bin_))
    rest = int(np.cumsum(low).searchsorted(np.int64(n - int(below[bin_])), side="right"))
    return ((bin_ - BINS // 2) << 16) + rest


def _alike(parts: Sequence[Magnitudes]) -> list[Magnitudes]:
    """The same parts in one dtype that holds all their values, so that their keys compare."""
    dtypes = {part.dtype for part in parts}
    if len(dtypes) <= 1:
        return list(parts)
    dtype = reduce(torch.promote_types, dtypes)
    return [part if part.dtype == dtype else part.converted(dtype) for part in parts]
