"""What pooling, padding and sums along dimensions do to labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.views import constant_along, distinct, frozen, varying


def spatial(uses: Uses, x: Tensor, shape: Sequence[int]) -> Tensor:
    """Pooled or resized over everything behind the channels, to ``shape``."""
    vector = constant_along(x, list(range(2, x.dim())))
    if vector is None:
        uses.labels.freeze(x, "pooled over different channels")
        return frozen(shape)
    return vector.reshape(*vector.shape, *[1] * (len(shape) - 2)).expand(*shape)


def reduction(uses: Uses, x: Tensor, dims: Sequence[int], shape: Sequence[int], *, sums: bool) -> Tensor:
    """One number of many along ``dims``. ``sums``: of zeros and other numbers it is that of the others alone."""
    dims = [d % x.dim() for d in dims]
    vector = constant_along(x, dims)
    if vector is not None:
        return vector.reshape(shape)
    if sums and set(varying(x)) <= set(dims):
        return frozen(shape)
    uses.labels.freeze(x, "averaged over all its channels")
    return frozen(shape)


def softmax(uses: Uses, x: Tensor, dim: int) -> Tensor:
    """Weighs what stands along ``dim`` against each other."""
    if constant_along(x, [dim]) is None:
        uses.labels.freeze(x, "softmax mixes all its channels")
    return x


def padded(uses: Uses, x: Tensor, pad: Sequence[int]) -> Tensor:
    """New channels get labels of their own: what they are added to decides whether they go."""
    for i in range(0, len(pad), 2):
        dim, before, after = x.dim() - 1 - i // 2, pad[i], pad[i + 1]
        size = x.shape[dim]
        if before <= 0 and after <= 0:
            x = x.narrow(dim, -before, size + before + after)
        elif dim != 1 and distinct(x).shape[dim] == 1:
            x = x.narrow(dim, 0, 1).expand([size + before + after if d == dim else n for d, n in enumerate(x.shape)])
        elif dim == 1 or constant_along(x, [dim]) is None:
            x = torch.cat([_new(uses, x, dim, before), x, _new(uses, x, dim, after)], dim)
        else:
            x = x.index_select(dim, torch.arange(-before, size + after).clamp(0, size - 1))
    return x


def _new(uses: Uses, x: Tensor, dim: int, n: int) -> Tensor:
    shape = [n if d == dim else size for d, size in enumerate(x.shape)]
    return uses.labels.fresh(n).reshape([-1 if d == dim else 1 for d in range(x.dim())]).expand(shape)
