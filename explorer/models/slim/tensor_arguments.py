"""Which arguments of a function may be tensors. Elsewhere a tensor would become a number, and numbers become sizes.

Sizes that only depend on the shapes of the inputs can be known before a network is run; those that
depend on what a tensor holds cannot.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType

import torch
from torch import Tensor

from explorer.models.slim.vocabulary import ARITHMETIC, FUNCTIONS, METHODS

_FIRST = frozenset({"self", "input", "tensor", "tensors"})
_MASKS = (torch.bool, torch.uint8)


@dataclass
class _Places:
    """Positions and names of arguments that are tensors, and of those that are lists of tensors."""

    single: set[int | str] = field(default_factory=set)
    several: set[int | str] = field(default_factory=set)

    def allow(self, place: int | str, value: object) -> bool:
        if isinstance(value, Tensor):
            return place in self.single
        return place in self.several or not _holds_tensor(value)


def numbers_from_tensors(target: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> bool:
    """Whether a call would read a number out of a tensor, or make as many values as a tensor says."""
    if target in ARITHMETIC:
        return any(_holds_tensor(value) for value in args if not isinstance(value, Tensor))
    if target == "operator.getitem":
        return not _is_plain_index(*args)
    name = target.rpartition(".")[2]
    if name == "where" and len(args) + len(kwargs) < 3:
        return True
    places = _places(target)
    given: Iterable[tuple[int | str, object]] = (*enumerate(args), *kwargs.items())
    return not all(places.allow(place, value) for place, value in given)


def _is_plain_index(holder: object, index: object = None, *_more: object) -> bool:
    """Tensors of whole numbers may choose among the numbers of a tensor; masks choose as many as are true."""
    parts = index if isinstance(index, tuple) else (index,)
    chosen = [part for part in parts if isinstance(part, Tensor)]
    if chosen and (not isinstance(holder, Tensor) or any(part.dtype in _MASKS for part in chosen)):
        return False
    return not any(_holds_tensor(part) for part in parts if not isinstance(part, Tensor))


def _holds_tensor(value: object) -> bool:
    return any(isinstance(leaf, Tensor) for leaf in _leaves(value))


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, slice):
        yield from (value.start, value.stop, value.step)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    else:
        yield value


@cache
def _places(target: str) -> _Places:
    function, name = FUNCTIONS.get(target), target.rpartition(".")[2]
    if name == "einsum":
        operands: set[int | str] = set(range(1, 64))
        return _Places(operands, operands)
    places = _by_annotations(function) if isinstance(function, FunctionType) else _by_schemas(name)
    if target in METHODS or target == "builtins.getattr" or not (places.single or places.several or _has_schema(name)):
        places.single.add(0)
    if 0 in places.single or 0 in places.several:
        places.single |= _FIRST
        places.several |= _FIRST if 0 in places.several else set()
    return places


def _has_schema(name: str) -> bool:
    return hasattr(torch.ops.aten, name)


def _by_annotations(function: FunctionType) -> _Places:
    places = _Places({0})
    for position, parameter in enumerate(inspect.signature(function).parameters.values()):
        if "Tensor" in str(parameter.annotation) and parameter.name != "out":
            places.single |= {position, parameter.name}
    return places


def _by_schemas(name: str) -> _Places:
    places = _Places()
    packet = getattr(torch.ops.aten, name, None)
    for overload in packet.overloads() if packet is not None else ():
        for position, argument in enumerate(getattr(packet, overload)._schema.arguments):
            kind = str(argument.type)
            if "Tensor" not in kind or argument.is_out:
                continue
            into = places.several if "List" in kind else places.single
            into |= {argument.name} if argument.kwarg_only else {position, argument.name}
    return places
