"""The tensors that a value or a module holds, wherever in it they are."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors of a value, in order; of tuples, lists and dictionaries too, at any depth.

    >>> import torch
    >>> [t.item() for t in tensors_in((torch.tensor(1), {"mask": [torch.tensor(2)]}, "no tensor"))]
    [1, 2]
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from tensors_in(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)


def held_tensors(module: nn.Module) -> list[Tensor]:
    """Parameters, buffers and tensors kept as plain attributes, of the module and all inside it; some more than once.

    For the memo of ``copy.deepcopy``, which cannot copy tensors that a graph made.
    """
    places = [place for part in module.modules() for place in (part._parameters, part._buffers, vars(part))]
    return [value for place in places for value in place.values() if isinstance(value, Tensor)]
