"""Numbers that a network makes of one of its parameters alone: a table looked up, a position cut out, a token repeated.

Such numbers shrink with the channels that they are added to, and the parameter with them. Every operation that only
moves numbers is therefore run once more on the places of the parameter's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from explorer.pruning.coupling.views import constant_along, distinct, shrunk, varying
from explorer.types.aliases import CallArguments, NamedArguments, Operation
from explorer.types.tensors import tensors_in

_LARGEST = 1 << 24


@dataclass(frozen=True, eq=False)
class Derived:
    """``places``: for each number of ``tensor``, where in the flattened parameter ``whole`` it comes from."""

    tensor: Tensor
    whole: Tensor
    places: Tensor

    @classmethod
    def of(cls, whole: Tensor) -> Derived:
        """A parameter as it is."""
        return cls(whole, whole, torch.arange(whole.numel(), dtype=torch.int32).reshape(whole.shape))

    def meets(self, labels: Tensor) -> bool:
        """Whether ``labels``, in a shape that the numbers broadcast to, change along a dimension that they have."""
        lead = labels.dim() - self.tensor.dim()
        return any(d >= lead and self.tensor.shape[d - lead] > 1 for d in varying(labels))

    def placed(self, labels: Tensor) -> tuple[int, Tensor] | None:
        """The parameter's dimension whose slices belong to one label each, and those labels; else None."""
        lead = labels.dim() - self.tensor.dim()
        over = [d for d in range(labels.dim()) if d < lead or self.tensor.shape[d - lead] == 1]
        held = constant_along(labels, over)
        if held is None:
            return None
        places = self.places.reshape(held.shape)
        for dim in range(self.whole.dim()):
            vector = _vector(self._coordinates(places, dim), held, self.whole.shape[dim])
            if vector is not None:
                return dim, vector
        return None

    def dim_along(self, dim: int) -> int | None:
        """The parameter's dimension that lies along dimension ``dim`` of the numbers, one slice each."""
        line = self.places.movedim(dim, 0).reshape(self.places.shape[dim], -1)[:, 0]
        for own, size in enumerate(self.whole.shape):
            coordinates = self._coordinates(line, own)
            if size == len(line) > 1 and bool((coordinates == torch.arange(size)).all()):
                return own
        return None

    def spread(self, dim: int, vector: Tensor) -> Tensor:
        """Labels in the shape of the numbers, from one label for each slice along the parameter's ``dim``."""
        small = distinct(self.places)
        return shrunk(vector[self._coordinates(small, dim)]).expand(self.tensor.shape)

    def _coordinates(self, places: Tensor, dim: int) -> Tensor:
        below = prod(self.whole.shape[dim + 1 :])
        return (places // below) % self.whole.shape[dim]


def _vector(coordinates: Tensor, held: Tensor, size: int) -> Tensor | None:
    """(size,) the one label at each coordinate, -1 where none stands; None where several meet."""
    if size < 2:
        return None
    vector = torch.full((size,), -1, dtype=held.dtype)
    vector[coordinates.flatten()] = held.flatten()
    return vector if bool((vector[coordinates] == held).all()) else None


def derived(
    origin: Callable[[object], Derived | None],
    result: object,
    function: Operation,
    args: CallArguments,
    kwargs: NamedArguments,
) -> Iterator[tuple[Tensor, Derived]]:
    """Each tensor of the ``result`` of moving the first argument's numbers, with where its numbers come from."""
    first = origin(args[0]) if args else None
    if first is None or first.places.numel() > _LARGEST:
        return
    moved = tensors_in(function(first.places, *args[1:], **kwargs))
    for tensor, places in zip(tensors_in(result), moved, strict=True):
        if tensor.shape == places.shape:
            yield tensor, Derived(tensor, first.whole, places)
