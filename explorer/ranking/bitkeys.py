"""Floats as integers that rank alike, and two indexes of such integers.

A float's bit pattern, read as a signed integer (negative floats flipped), orders like the
float itself. The top 16 bits of every key fill a histogram of 65,536 bins in one pass: that
is all there is to know about bfloat16 and float16. For float32 a second pass fills the low
16 bits of the one bin that is asked for. Small tensors and float64 are sorted once instead.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.errors import ExplorerError

Counts = NDArray[np.int64]
Keys = NDArray[Any]
KeySource = Callable[[], Iterable[Tensor]]

BINS = 1 << 16
CHUNK = 1 << 18  # stays in the processor's cache; whole-tensor temporaries are far slower
_HALF = 1 << 15
_LOW = 0xFFFF
_KEPT_BINS = 8  # bins whose low halves stay in memory, 0.5 MB each
_INTEGER = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}
_NUMPY: dict[torch.dtype, tuple[type[np.signedinteger[Any]], type[np.floating[Any]]]] = {
    torch.float16: (np.int16, np.float16),
    torch.float32: (np.int32, np.float32),
    torch.float64: (np.int64, np.float64),
}
_HIGHEST = {integer: torch.iinfo(integer).max for integer in _INTEGER.values()}


def integer_type(dtype: torch.dtype) -> torch.dtype:
    """The signed integer type as wide as a floating-point one; other types are refused."""
    if dtype not in _INTEGER:
        raise ExplorerError(
            f"Values of type {dtype} cannot be ranked.",
            why="Only float16, bfloat16, float32 and float64 can.",
            fix="Convert the tensor to one of them.",
        )
    return _INTEGER[dtype]


def keys_of(values: Tensor, *, absolute: bool = False) -> Tensor:
    """Integers, of the same shape and width, that rank like the values (or their magnitudes).

    Infinities rank as ends, -0.0 as 0.0. NaN is refused.
    """
    integer = integer_type(values.dtype)
    info = torch.iinfo(integer)
    if absolute:
        keys = values.view(integer) & info.max
    else:
        bits = (values + 0.0).view(integer)  # -0.0 + 0.0 is 0.0
        keys = bits ^ ((bits >> (info.bits - 1)) & info.max)
    if keys.numel():
        infinity = int(torch.tensor(torch.inf, dtype=values.dtype).view(integer))
        low, high = torch.aminmax(keys)
        if int(high) > infinity or int(low) < ~infinity:
            raise ExplorerError(
                "There are NaN values among those to rank.",
                why="NaN is neither above nor below a threshold.",
                fix="Look at the layer's findings: a model with NaN weights is broken.",
            )
    return keys


def key_of(value: float, dtype: torch.dtype) -> int:
    """The key of one number (not NaN) once it is rounded to this dtype; a microsecond's work."""
    integer = _INTEGER[dtype]
    highest = _HIGHEST[integer]
    bits = int(torch.tensor((value,), dtype=torch.float64).to(dtype).view(integer).item())
    return bits if bits >= 0 else (bits ^ highest if bits != ~highest else 0)


def value_of(key: int, dtype: torch.dtype) -> float:
    """The float that has this key; a microsecond's work."""
    highest = _HIGHEST[integer_type(dtype)]
    bits = key ^ highest if key < 0 else key
    if dtype == torch.bfloat16:  # the upper half of a float32
        return float(np.int32(bits << 16).view(np.float32))
    integer, floating = _NUMPY[dtype]
    return float(integer(bits).view(floating))


def values_of(keys: Keys, dtype: torch.dtype) -> NDArray[np.float64]:
    """The floats that have these keys."""
    bits = np.where(keys < 0, keys ^ _HIGHEST[integer_type(dtype)], keys)
    if dtype == torch.bfloat16:
        return (bits.astype(np.int32) << 16).view(np.float32).astype(np.float64)
    return bits.astype(keys.dtype).view(_NUMPY[dtype][1]).astype(np.float64)


def high_counts(keys: Tensor) -> Tensor:
    """(65,536,) int64: how often each top half occurs; int16 or int32 keys, chunk by chunk."""
    total = torch.zeros(BINS, dtype=torch.int64)
    shift = torch.iinfo(keys.dtype).bits - 16
    for chunk in torch.split(keys, CHUNK):
        top = chunk >> shift if shift else chunk
        if not chunk.numel():
            continue
        if int(top.min()) >= 0:  # magnitudes: counted as they are, twice as fast
            total[_HALF:] += torch.bincount(top, minlength=_HALF)
        else:
            total += torch.bincount(top.to(torch.int32) + _HALF, minlength=BINS)
    return total


class SortedIndex:
    """Sorted keys: every answer is a binary search."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys

    def below(self, key: int) -> int:
        """How many keys are smaller."""
        return int(self.keys.searchsorted(self.keys.dtype.type(key)))

    def below_each(self, keys: Sequence[int]) -> Counts:
        """:meth:`below` for each of them."""
        return self.keys.searchsorted(np.array(keys, self.keys.dtype)).astype(np.int64)

    def kth(self, rank: int) -> int:
        """The key at this rank, from 0."""
        return int(self.keys[rank])

    def high(self) -> Counts:
        """How often each top half occurs."""
        return high_counts(torch.from_numpy(self.keys)).numpy()

    def low(self, bin_: int) -> Counts:
        """How often each low half occurs in one bin of top halves (32-bit keys)."""
        first, last = self.keys.searchsorted(np.array([bin_ - _HALF, bin_ - _HALF + 1], np.int64) << 16)
        return np.bincount(self.keys[first:last] & _LOW, minlength=BINS).astype(np.int64)


class HistogramIndex:
    """Keys counted in two levels: exact answers in bounded memory whatever the size."""

    def __init__(self, high: Tensor, source: KeySource, bits: int) -> None:
        self._high: Counts = high.numpy()
        self._below: Counts = np.concatenate([[0], np.cumsum(self._high)])
        self._source = source
        self._bits = bits
        self._low_below: OrderedDict[int, Counts] = OrderedDict()

    def high(self) -> Counts:
        """How often each top half occurs."""
        return self._high

    def low(self, bin_: int) -> Counts:
        """How often each low half occurs in one bin of top halves (32-bit keys)."""
        return np.diff(self._cumulative_low(bin_))

    def below(self, key: int) -> int:
        """How many keys are smaller; the first look into a bin of 32-bit keys is one pass."""
        if self._bits == 16:
            return int(self._below[key + _HALF])
        bin_, rest = (key >> 16) + _HALF, key & _LOW
        base = int(self._below[bin_])
        if rest == 0 or self._high[bin_] == 0:
            return base
        return base + int(self._cumulative_low(bin_)[rest])

    def kth(self, rank: int) -> int:
        """The key at this rank, from 0."""
        bin_ = int(self._below.searchsorted(np.int64(rank), side="right")) - 1
        if self._bits == 16:
            return bin_ - _HALF
        within = np.int64(rank - int(self._below[bin_]))
        rest = int(self._cumulative_low(bin_).searchsorted(within, side="right")) - 1
        return ((bin_ - _HALF) << 16) + rest

    def below_each(self, keys: Sequence[int]) -> Counts:
        """:meth:`below` for each of them, with at most one pass over the keys."""
        bins = {(key >> 16) + _HALF for key in keys if key & _LOW} if self._bits == 32 else set()
        open_bins = [b for b in bins if self._high[b] and b not in self._low_below]
        if len(open_bins) <= 1:
            return np.array([self.below(key) for key in keys], np.int64)
        return self._below_in_one_pass(np.array(keys, np.int32), np.array(sorted(open_bins)))

    def _cumulative_low(self, bin_: int) -> Counts:
        if bin_ in self._low_below:
            self._low_below.move_to_end(bin_)
            return self._low_below[bin_]
        total = torch.zeros(BINS, dtype=torch.int64)
        for keys in self._source():
            inside = keys[(keys >> 16) == bin_ - _HALF]
            if inside.numel():
                total += torch.bincount(inside & _LOW, minlength=BINS)
        self._low_below[bin_] = np.concatenate([[0], np.cumsum(total.numpy())])
        if len(self._low_below) > _KEPT_BINS:
            self._low_below.popitem(last=False)
        return self._low_below[bin_]

    def _below_in_one_pass(self, keys: NDArray[np.int32], open_bins: NDArray[Any]) -> Counts:
        is_open = np.zeros(BINS, bool)
        is_open[open_bins] = True
        ranked = np.sort(keys)
        counts = np.zeros(len(keys) + 1, np.int64)  # counts[i]: members >= ranked[i - 1], < ranked[i]
        for chunk in self._source():
            values = chunk.numpy()
            members = values[is_open[(values >> 16) + _HALF]]
            counts += np.bincount(ranked.searchsorted(members, side="right"), minlength=len(counts))
        members_below = np.cumsum(counts)[:-1][ranked.searchsorted(keys)]
        closed = np.concatenate([[0], np.cumsum(np.where(is_open, 0, self._high))])
        bins = (keys >> 16) + _HALF
        rest = np.array(
            [0 if is_open[b] else self.below(int(k)) - int(self._below[b]) for k, b in zip(keys, bins, strict=True)]
        )
        return np.asarray(closed[bins] + members_below + rest, np.int64)


def index_of(source: KeySource, dtype: torch.dtype, *, sort_up_to: int) -> tuple[int, SortedIndex | HistogramIndex]:
    """The number of keys and the index that suits them; ``source`` gives chunks of keys."""
    waiting: list[Tensor] = []
    high: Tensor | None = None
    size = 0
    for keys in source():
        size += keys.numel()
        if high is None and (size <= sort_up_to or dtype == torch.float64):
            waiting.append(keys)
            continue
        high = torch.zeros(BINS, dtype=torch.int64) if high is None else high
        for chunk in (*waiting, keys):
            high += high_counts(chunk)
        waiting.clear()
    if high is not None:
        return size, HistogramIndex(high, source, torch.iinfo(integer_type(dtype)).bits)
    keys = torch.cat([torch.zeros(0, dtype=integer_type(dtype)), *waiting])
    return size, SortedIndex(np.sort(keys.numpy()))


def chunks(pieces: Iterable[Tensor], *, absolute: bool) -> Iterator[Tensor]:
    """The keys of one tensor after another, flat, on the processor, in chunks."""
    for piece in pieces:
        for chunk in torch.split(piece.detach().reshape(-1), CHUNK):
            yield keys_of(chunk.cpu(), absolute=absolute)
