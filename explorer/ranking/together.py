"""Sorting and counting in many tensors at once; the small ones are looked at together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.ranking.bitkeys import Keys
from explorer.types.small import joined, small_by_type


def order_within(numbers: Keys, sizes: Sequence[int]) -> NDArray[np.intp]:
    """The order that sorts each of the parts, of ``sizes``, that lie one after another; equal ones stay as they are."""
    return np.lexsort((numbers, np.repeat(np.arange(len(sizes)), sizes)))


def sorted_within(numbers: Keys, sizes: Sequence[int]) -> Keys:
    """The numbers with each of the parts, of ``sizes``, sorted by itself."""
    if numbers.dtype.itemsize > 4:
        return numbers[order_within(numbers, sizes)]
    parts = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    ranked = np.sort((parts << 32) + numbers)  # the part in the upper half, the number in the lower: one sort does both
    return ranked.astype(np.int32).astype(numbers.dtype)


def counted(tensors: Mapping[str, Tensor], test: Callable[[Tensor], Tensor]) -> dict[str, int]:
    """For each tensor, how many of its numbers pass ``test``, which takes (n,) numbers and gives (n,) bool."""
    counts = {name: int(n) for name, n in _small(tensors, test)}
    return {
        name: counts[name] if name in counts else int(torch.count_nonzero(test(tensor.detach().reshape(-1))))
        for name, tensor in tensors.items()
    }


def _small(tensors: Mapping[str, Tensor], test: Callable[[Tensor], Tensor]) -> Iterator[tuple[str, int]]:
    for names in small_by_type(tensors).values():
        numbers, sizes = joined(tensors, names)
        passed = torch.cat([torch.zeros(1, dtype=torch.int64), test(numbers).cumsum(0, dtype=torch.int64)])
        ends = torch.tensor(sizes, dtype=torch.int64).cumsum(0)
        yield from zip(names, (passed[ends] - passed[ends - torch.tensor(sizes)]).tolist(), strict=True)


def not_finite(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """How many numbers are NaN or infinite, by name of the floating-point tensors that hold any."""
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    return {name: n for name, n in counted(floating, _broken).items() if n}


def _broken(numbers: Tensor) -> Tensor:
    numbers = numbers.float() if numbers.element_size() == 1 else numbers
    # One NaN or infinity makes the sum not finite; a sum that merely overflows is looked at closely.
    if bool(torch.isfinite(numbers.sum())):
        return torch.zeros(1, dtype=torch.bool).expand(len(numbers))
    return ~torch.isfinite(numbers)
