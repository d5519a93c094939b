"""Whose outputs a tensor holds: a mark on every tensor that follows it through a running model."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.types.aliases import CallArguments, NamedArguments
from explorer.types.tensors import tensors_in

_MARK = "_explorer_made_by"


@dataclass(frozen=True)
class Made:
    """The layer of this weight made the tensor; its ``n`` channels lie along ``dim`` (from the end)."""

    parameter: str
    dim: int
    n: int


def marks(value: object) -> frozenset[Made]:
    """Who made a value; nothing for what is no tensor and for what no layer made."""
    makers: frozenset[Made] = getattr(value, _MARK, frozenset()) if isinstance(value, Tensor) else frozenset()
    return makers


def mark(value: object, makers: frozenset[Made]) -> None:
    """Say who made a tensor, or each tensor of several."""
    for tensor in tensors_in(value):
        setattr(tensor, _MARK, makers)


def makers_of(args: CallArguments, kwargs: NamedArguments) -> frozenset[Made]:
    """Who made what a function was called with, together."""
    return frozenset[Made]().union(*(marks(tensor) for tensor in tensors_in([*args, *kwargs.values()])))
