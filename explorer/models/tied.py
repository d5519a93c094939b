"""Tied weights: one tensor of a module under several names, and what a file holds under each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.text.names import clean, listed


def tied_names(module: nn.Module) -> list[list[str]]:
    """The names of each parameter that has more than one, the first one first."""
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [group for group in names.values() if len(group) > 1]


def completed(
    tensors: Mapping[str, Tensor], ties: Sequence[Sequence[str]], label: str, address: str
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors with every name of what is tied, and what was added.

    Raises ExplorerError where a file holds different numbers for one tensor: one copy would be lost.
    """
    whole = dict(tensors)
    added = []
    for group in ties:
        present = [name for name in group if name in tensors]
        if not present:
            continue
        first = tensors[present[0]]
        others = [name for name in present[1:] if not _equal(tensors[name], first)]
        if others:
            raise ExplorerError(
                f"{label} holds different numbers for {listed([present[0], *others])}.",
                why=f"In {address} they are one tied tensor, so all copies but one would be lost.",
                fix="Leave out the wrong ones, or untie them in the module.",
            )
        absent = [name for name in group if name not in tensors]
        whole |= dict.fromkeys(absent, first)
        added += [f"{clean(name)} is not in the file: it is tied to {clean(present[0])}." for name in absent]
    return whole, added


def tie(module: nn.Module, ties: Sequence[Sequence[str]]) -> None:
    """Tie again what was loaded name by name."""
    for first, *others in ties:
        parameter = module.get_parameter(first)
        for name in others:
            path, _, key = name.rpartition(".")
            setattr(module.get_submodule(path), key, parameter)


def _equal(one: Tensor, other: Tensor) -> bool:
    """The same numbers; NaN, too, is equal to itself."""
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), rtol=0.0, atol=0.0, equal_nan=True)
