"""How tensors travel from the reading process: the small ones of one type as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from explorer.types.files.reading import answer
from explorer.types.small import joined, small_by_type

Shapes = dict[str, dict[str, list[int]]]  # under the name of what is joined, the shape of each that is in it


def together(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Shapes]:
    """The tensors with the small ones joined, and what is needed to take these apart again."""
    shapes: Shapes = {}
    travelling = dict(tensors)
    for dtype, names in small_by_type(tensors).items():
        key = f"joined {dtype}"
        shapes[key] = {name: list(travelling.pop(name).shape) for name in names}
        travelling[key] = joined(tensors, names)[0]
    return travelling, shapes


def apart(travelled: Mapping[str, Tensor], shapes: object) -> dict[str, Tensor]:
    """What :func:`together` was given; UnusableError where the two do not belong together.

    Each tensor has memory of its own, torch's and aligned as for any other.
    """
    described = answer.entries(shapes)
    tensors = {name: tensor.clone() for name, tensor in travelled.items() if name not in described}
    for key, parts in described.items():
        if key not in travelled:
            raise answer.UnusableError("what is joined is not there")
        sizes = {name: answer.shape(size) for name, size in answer.entries(parts).items()}
        if not tensors.keys().isdisjoint(sizes):
            raise answer.UnusableError("two tensors have one name")
        tensors.update(_parts(travelled[key], sizes))
    return tensors


def _parts(whole: Tensor, sizes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Tensor]]:
    lengths = [torch.Size(size).numel() for size in sizes.values()]
    if whole.dim() != 1 or sum(lengths) != whole.numel():
        raise answer.UnusableError("what is joined has another length")
    for (name, size), part in zip(sizes.items(), torch.split(whole, lengths), strict=True):
        yield name, part.clone().view(size)
