"""What a network takes: one tensor, or several that go in together, by position or by name.

Everything that slices, moves, joins, hashes or runs inputs does it here, so that an image, a batch of tokens
with its mask and a pair of inputs are the same to everyone else.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from explorer.errors import ExplorerError

Device = str | torch.device | None


@dataclass(frozen=True, eq=False)
class InputSet:
    """Several tensors with one common first dimension: those of ``args`` in order, then the ``named`` ones.

    >>> tokens = InputSet(named={"ids": torch.zeros(4, 7, dtype=torch.long), "mask": torch.ones(4, 7)})
    >>> len(tokens), len(tokens[:3]), tokens[:3].shape
    (4, 3, 'ids (3, 7), mask (3, 7)')
    """

    args: tuple[Tensor, ...] = ()
    named: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {key: tuple(tensor.shape[:1]) for key, tensor in tensors_of(self).items()}
        if len(set(sizes.values())) != 1 or () in sizes.values():
            each = ", ".join(f"{key}: {size[0] if size else 'none'}" for key, size in sizes.items())
            raise ExplorerError(
                "The inputs have no common first dimension.",
                why=f"Their first dimensions are {each or 'not there'}; that is the number of samples.",
                fix="Give each input as many rows as there are samples.",
            )

    def __len__(self) -> int:
        return len(next(iter(tensors_of(self).values())))

    def __getitem__(self, which: slice | Tensor) -> InputSet:
        """These samples of every tensor: a slice, places, or one bool for each sample."""
        return self.map(lambda tensor: tensor[which])

    @property
    def shape(self) -> str:
        """The shapes in words."""
        return ", ".join(f"{key} {tuple(tensor.shape)}" for key, tensor in tensors_of(self).items())

    def map(self, change: Callable[[Tensor], Tensor]) -> InputSet:
        """The same set with every tensor changed."""
        return InputSet(tuple(map(change, self.args)), {key: change(tensor) for key, tensor in self.named.items()})


class LazySamples(InputSet, ABC):
    """One input whose samples are made when they are asked for: a slice, or indices, of it is a tensor.

    To everyone it is an input like another; what wants all samples at once (:func:`tensors_of`) gets all of them.
    """

    args: tuple[Tensor, ...] = ()
    named: Mapping[str, Tensor] = MappingProxyType({})

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, which: slice | Tensor) -> Tensor:  # type: ignore[override]
        """These samples, (n, ...)."""

    @abstractmethod
    def part(self, which: slice | Tensor) -> LazySamples:
        """The same with only these samples, none of them made yet."""

    @property
    @abstractmethod
    def sample(self) -> tuple[int, ...]:
        """The shape of one sample."""

    @property
    @abstractmethod
    def digest(self) -> str:
        """Equal digest = equal samples in equal order."""

    @property
    def shape(self) -> str:
        """The shape in words."""
        return f"0 {(len(self), *self.sample)}"

    def map(self, change: Callable[[Tensor], Tensor]) -> InputSet:
        """All samples, changed; in memory."""
        return InputSet((change(self[:]),))


Inputs = Tensor | InputSet


def first_of(x: Inputs, n: int) -> Inputs:
    """The first samples; of those that are made when asked for, none is made."""
    return taken(x, slice(n))


def taken(x: Inputs, which: slice | Tensor) -> Inputs:
    """These samples; of those that are made when asked for, none is made."""
    return x.part(which) if isinstance(x, LazySamples) else x[which]


def as_inputs(value: object) -> Inputs:
    """A tensor, a tuple or list of tensors, or tensors by name, as inputs.

    >>> as_inputs((torch.zeros(2, 3), torch.zeros(2))).shape
    '0 (2, 3), 1 (2,)'
    """
    if isinstance(value, Tensor | InputSet):
        return value
    if isinstance(value, Mapping):
        named = {str(key): tensor for key, tensor in value.items() if tensor is not None}
        if named and all(isinstance(tensor, Tensor) for tensor in named.values()):
            return InputSet(named=named)
    elif isinstance(value, tuple | list) and value and all(isinstance(tensor, Tensor) for tensor in value):
        return value[0] if len(value) == 1 else InputSet(tuple(value))
    raise ExplorerError(
        f"A {type(value).__name__} is not what a network takes.",
        why="Inputs are one tensor, a tuple of tensors, or a dict of tensors by name.",
        fix="Convert the inputs to tensors whose first dimension is the samples.",
    )


def tensors_of(x: Inputs) -> dict[str, Tensor]:
    """Every tensor by its key: its position ("0", "1", ...) or its name."""
    if isinstance(x, LazySamples):
        return {"0": x[:]}
    if isinstance(x, Tensor):
        return {"0": x}
    return {**{str(place): tensor for place, tensor in enumerate(x.args)}, **x.named}


def mapped(x: Inputs, change: Callable[[Tensor], Tensor]) -> Inputs:
    """The same inputs with every tensor changed."""
    return change(x) if isinstance(x, Tensor) else x.map(change)


def call(module: Callable[..., object], x: Inputs) -> object:
    """What a network returns for these inputs."""
    return module(x) if isinstance(x, Tensor) else module(*x.args, **x.named)


def moved(x: Inputs, device: Device, dtype: torch.dtype | None) -> Inputs:
    """The inputs on a device, in ``dtype`` where they are numbers with a point."""
    return mapped(x, lambda tensor: tensor.to(device, dtype if tensor.is_floating_point() else None))


def cloned(x: Inputs) -> Inputs:
    """Inputs of their own, for code that may write to them."""
    return mapped(x, Tensor.clone)


def joined(parts: Sequence[Inputs]) -> Inputs:
    """The samples of several batches one after the other."""
    first = parts[0]
    if isinstance(first, Tensor):
        return torch.cat([one_tensor(part, "Joining") for part in parts])
    each = [tensors_of(part) for part in parts]
    return rebuilt(first, {key: torch.cat([tensors[key] for tensors in each]) for key in each[0]})


def repeated(x: Inputs, n: int) -> Inputs:
    """The first sample ``n`` times, in memory of its own."""
    return mapped(x, lambda tensor: tensor[:1].expand(n, *tensor.shape[1:]).contiguous())


def is_floating(x: Inputs) -> bool:
    """Whether every input is numbers with a point."""
    return isinstance(x, LazySamples) or all(tensor.is_floating_point() for tensor in tensors_of(x).values())


def sample_shape(x: Inputs) -> str:
    """The shape of one sample in words: "(3, 32, 32)", or each input's by its key."""
    if isinstance(x, Tensor | LazySamples):
        return str(tuple(x.shape[1:]) if isinstance(x, Tensor) else x.sample)
    return ", ".join(f"{key} {tuple(tensor.shape[1:])}" for key, tensor in tensors_of(x).items())


def sample_shapes(x: Inputs) -> dict[str, tuple[int, ...]]:
    """The shape of one sample of every input."""
    if isinstance(x, LazySamples):
        return {"0": x.sample}
    return {key: tuple(tensor.shape[1:]) for key, tensor in tensors_of(x).items()}


def n_values(x: Inputs) -> int:
    """How many numbers one sample is."""
    return sum(math.prod(shape) for shape in sample_shapes(x).values())


def equal(x: Inputs, other: Inputs) -> bool:
    """Whether both are the same tensors, number by number."""
    if isinstance(x, LazySamples) and isinstance(other, LazySamples):
        return x.digest == other.digest
    one, two = tensors_of(x), tensors_of(other)
    return one.keys() == two.keys() and all(torch.equal(tensor, two[key]) for key, tensor in one.items())


def one_tensor(x: Inputs, what: str) -> Tensor:
    """The inputs where they are one tensor. ExplorerError, with ``what`` needs it, where they are several."""
    if isinstance(x, Tensor | LazySamples):
        return x if isinstance(x, Tensor) else x[:]
    raise ExplorerError(
        f"{what} takes networks with one input.",
        why=f"This one takes several: {', '.join(tensors_of(x))}.",
        fix="Choose another method, or a network with one input.",
    )


def rebuilt(like: InputSet, tensors: Mapping[str, Tensor]) -> InputSet:
    """Inputs of the same names and positions, of other tensors by their keys."""
    args = tuple(tensors[str(place)] for place in range(len(like.args)))
    return InputSet(args, {key: tensors[key] for key in like.named})
