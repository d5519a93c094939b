"""Tensors of labels as views: a dimension along which labels repeat is expanded, and costs nothing.

Labels rarely change along places, tokens or samples. Whatever looks at labels therefore looks at
:func:`distinct`, whose size does not depend on the resolution of the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LABEL = torch.int32  # a type that networks do not compute in: indices of theirs are int64
FROZEN = 0  # data whose slots cannot go
_LARGE = 2048


def is_labels(value: object) -> bool:
    """Whether this stands for data, and is no number of the network's own."""
    return isinstance(value, Tensor) and value.dtype == LABEL


def frozen(shape: Sequence[int]) -> Tensor:
    """Data in this shape whose slots cannot go."""
    return torch.full([1] * len(shape), FROZEN, dtype=LABEL).expand(*shape)


def distinct(labels: Tensor) -> Tensor:
    """The same with size 1 along every dimension along which it is expanded."""
    for dim, (size, stride) in enumerate(zip(labels.shape, labels.stride(), strict=True)):
        if stride == 0 and size > 1:
            labels = labels.narrow(dim, 0, 1)
    return labels


def shrunk(labels: Tensor) -> Tensor:
    """The same labels, expanded along every dimension along which they repeat."""
    small = distinct(labels)
    if small.numel() <= _LARGE:
        return labels
    for dim in range(small.dim()):
        first = small.narrow(dim, 0, 1)
        if small.shape[dim] > 1 and bool((small == first).all()):
            small = first
    return small.expand(labels.shape)


def constant_along(labels: Tensor, dims: Sequence[int]) -> Tensor | None:
    """The labels with ``dims`` dropped, where they do not change along them; else None."""
    dims = [d % labels.dim() for d in dims]
    if not dims:
        return labels
    small = distinct(labels)
    index = tuple(slice(0, 1) if d in dims else slice(None) for d in range(labels.dim()))
    first = small[index]
    if first.shape != small.shape and not bool((small == first).all()):
        return None
    return first.expand([1 if d in dims else size for d, size in enumerate(labels.shape)]).squeeze(dims)


def varying(labels: Tensor) -> list[int]:
    """The dimensions along which labels change."""
    small = distinct(labels)
    return [d for d in range(small.dim()) if small.shape[d] > 1 and constant_along(small, [d]) is None]


def broadcast(labels: Tensor, shape: Sequence[int]) -> Tensor:
    """The labels in the shape that an elementwise operation with something of ``shape`` gives."""
    return labels.expand(torch.broadcast_shapes(labels.shape, tuple(shape)))  # type: ignore[no-untyped-call]


def any_along(stays: Tensor, dim: int) -> Tensor:
    """(size of ``dim``,) whether anything at this place of a tensor of truth values is true."""
    small = distinct(stays).movedim(dim, 0)
    return small.reshape(small.shape[0], -1).any(dim=1).expand(stays.shape[dim])
