"""Sorting and counting in many tensors at once; the small ones are looked at together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.ranking.bitkeys import Keys
from explorer.types.small import joined, small_by_type

Test = Callable[[Tensor], Tensor]


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


def counted(tensors: Mapping[str, Tensor], test: Test) -> dict[str, int]:
    """For each tensor, how many of its numbers pass ``test``."""
    return counted_each(tensors, (test,))[0]


def counted_each(tensors: Mapping[str, Tensor], tests: Sequence[Test]) -> tuple[dict[str, int], ...]:
    """The same for each of ``tests``, which take (n,) numbers and give (n,) bool; quicker together."""
    counts: tuple[dict[str, int], ...] = tuple({} for _ in tests)
    for names in small_by_type(tensors).values():
        numbers, sizes = joined(tensors, names)
        ends = torch.tensor(sizes, dtype=torch.int64).cumsum(0)
        starts = ends - torch.tensor(sizes)
        for count, test in zip(counts, tests, strict=True):
            passed = torch.cat([torch.zeros(1, dtype=torch.int64), test(numbers).cumsum(0, dtype=torch.int64)])
            count.update(zip(names, (passed[ends] - passed[starts]).tolist(), strict=True))
    for count, test in zip(counts, tests, strict=True):
        large = (name for name in tensors if name not in count)
        count |= {name: int(torch.count_nonzero(test(tensors[name].detach().reshape(-1)))) for name in large}
    return tuple({name: count[name] for name in tensors} for count in counts)


def not_finite(tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """How many numbers are NaN or infinite, by name of the floating-point tensors that hold any."""
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    return {name: n for name, n in counted(floating, broken).items() if n}


def broken(numbers: Tensor) -> Tensor:
    """(n,) bool: which are NaN or infinite; whole numbers never are."""
    numbers = numbers.float() if numbers.element_size() == 1 else numbers
    # One NaN or infinity makes the sum not finite; a sum that merely overflows is looked at closely.
    if bool(torch.isfinite(numbers.sum())):
        return torch.zeros(1, dtype=torch.bool).expand(len(numbers))
    return ~torch.isfinite(numbers)
