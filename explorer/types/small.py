"""Small tensors by the thousand: a call of torch costs more than their numbers, so they are looked at together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors

SMALL = 1 << 12  # up to so many numbers a call of torch costs more than they do


def is_small(tensor: Tensor) -> bool:
    """Whether it is looked at together with others."""
    return tensor.numel() <= SMALL and tensor.is_cpu


def small_by_type(tensors: Mapping[str, Tensor]) -> dict[torch.dtype, list[str]]:
    """The names of the small tensors on the processor, by their type, each in the order of the mapping."""
    names: dict[torch.dtype, list[str]] = {}
    for name, tensor in tensors.items():
        if is_small(tensor):
            names.setdefault(tensor.dtype, []).append(name)
    return names


def joined(tensors: Mapping[str, Tensor], names: list[str]) -> tuple[Tensor, list[int]]:
    """The numbers of these tensors one after another, and how many each has."""
    parts = [tensors[name] for name in names]
    with torch.no_grad():  # one call for all of them: a thousand reshapes take longer than their numbers
        flat: Tensor = _flatten_dense_tensors(parts)  # type: ignore[no-untyped-call]
    return flat if len(parts) > 1 else flat.clone(), [part.numel() for part in parts]


def parts_with(marks: Tensor, ends: Tensor) -> list[int]:
    """Which of the parts, which lie one after another up to ``ends``, hold a True."""
    places = torch.nonzero(marks).flatten()
    return sorted(set(torch.bucketize(places, ends, right=True).tolist()))


def not_all_true(masks: Mapping[str, Tensor]) -> list[str]:
    """The names of the masks that hold a False, in the order of the mapping."""
    lacking = {name for name, mask in masks.items() if not is_small(mask) and not bool(mask.all())}
    for names in small_by_type(masks).values():
        marks, sizes = joined(masks, names)
        lacking |= {names[i] for i in parts_with(~marks, torch.tensor(sizes).cumsum(0))}
    return [name for name in masks if name in lacking]
