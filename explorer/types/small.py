"""Small tensors by the thousand: a call of torch costs more than their numbers, so they are looked at together."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SMALL = 1 << 12  # up to so many numbers a call of torch costs more than they do


def is_small(tensor: Tensor) -> bool:
    """Whether it is looked at together with others."""
    return tensor.numel() <= SMALL and tensor.device.type == "cpu"


def small_by_type(tensors: Mapping[str, Tensor]) -> dict[torch.dtype, list[str]]:
    """The names of the small tensors on the processor, by their type, each in the order of the mapping."""
    names: dict[torch.dtype, list[str]] = {}
    for name, tensor in tensors.items():
        if is_small(tensor):
            names.setdefault(tensor.dtype, []).append(name)
    return names


def joined(tensors: Mapping[str, Tensor], names: list[str]) -> tuple[Tensor, list[int]]:
    """The numbers of these tensors one after another, and how many each has."""
    with torch.no_grad():
        flat = [tensors[name].reshape(-1) for name in names]
        return torch.cat(flat), [part.numel() for part in flat]
