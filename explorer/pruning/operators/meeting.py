"""What happens to labels where tensors meet: sums and products, side by side in one tensor, halves of one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.views import broadcast, constant_along, distinct, is_labels, shrunk, varying
from explorer.pruning.operators.layers import tie_across
from explorer.types.aliases import GraphValue, Operation


def binary(uses: Uses, a: object, b: object, reason: str) -> GraphValue:
    """Added, multiplied or compared: labels at the same place become one."""
    if not isinstance(a, Tensor) or not isinstance(b, Tensor):
        return a if isinstance(a, Tensor) else b
    if not is_labels(a):
        a, b = b, a
    if not is_labels(b):
        uses.constant(a, b)
        return broadcast(a, b.shape)
    for one, other in ((a, b), (b, a)):
        if _repeats_over(one, other):
            uses.labels.freeze(one, f"{reason} with every channel")
            return broadcast(other, one.shape)
    uses.labels.join(a, b, reason)
    return broadcast(a, b.shape)


def _repeats_over(one: Tensor, other: Tensor) -> bool:
    """Whether ``one`` has a single entry along a dimension that holds ``other``'s channels."""
    lead = other.dim() - one.dim()
    return any(d < lead or one.shape[d - lead] == 1 for d in varying(other))


def joined(uses: Uses, pieces: Sequence[Tensor], dim: int, *, stacked: bool) -> Tensor:
    """Concatenated or stacked: whatever is not along that dimension must stay equally wide."""
    pieces = [
        x for x in pieces if x.numel() or x.dim() != 1
    ] or pieces  # torch leaves out what is empty, as a new cache is
    n_dims = pieces[0].dim() + int(stacked)
    dim = dim % n_dims
    tensors = [x if is_labels(x) else uses.data(x, None if stacked else dim) for x in pieces]
    tensors = [x.unsqueeze(dim) if stacked else x for x in tensors]
    held = [d == dim or any(distinct(x).shape[d] > 1 for x in tensors) for d in range(n_dims)]
    index = tuple(slice(None) if holds else slice(0, 1) for holds in held)
    sizes = [-1 if holds else size for holds, size in zip(held, tensors[0].shape, strict=True)]
    side_by_side = torch.cat([x[index] for x in tensors], dim)
    labels = side_by_side.expand(sizes)
    for other in varying(labels):
        if other != dim and constant_along(labels, [dim]) is None:
            return shrunk(tie_across(uses, labels, dim, "side by side in one tensor"))
    return labels


def gated(uses: Uses, x: Tensor, dim: int | None) -> Tensor:
    """One half times the sigmoid of the other."""
    half, gate = x.chunk(2, -1 if dim is None else dim)
    uses.labels.join(half, gate, "gated by its other half")
    return half


def pixel_shuffle(uses: Uses, function: Operation, *args: GraphValue, **kwargs: GraphValue) -> Tensor:
    """The channels that become the pixels of one channel go with it."""
    shuffled: Tensor = function(args[0].contiguous(), *args[1:], **kwargs)
    corner = shuffled[..., :1, :1]
    uses.labels.join(corner, shuffled, "pixel shuffle: one channel's pixels come from several")
    return corner.expand(shuffled.shape)
