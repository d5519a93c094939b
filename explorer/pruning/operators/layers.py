"""What layers with weights do to channel labels: their rows make channels, their columns read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from explorer.pruning.coupling.labels import FROZEN, constant_along
from explorer.pruning.coupling.uses import Uses

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
PER_CHANNEL = (nn.modules.batchnorm._NormBase,)


@dataclass(frozen=True)
class Conv:
    """What counts of a convolution, be it a layer or a function with its weights handed in."""

    weight: Tensor
    bias: Tensor | None
    groups: int
    call: Callable[[Tensor], Tensor]


def channels(uses: Uses, x: Tensor, dim: int, what: str) -> Tensor:
    """(n_channels,) labels along ``dim``; whatever stands in one channel at other places goes with it."""
    dim = dim % x.dim()
    others = [d for d in range(x.dim()) if d != dim]
    vector = constant_along(x, others)
    if vector is None:
        lines = x.movedim(dim, 0).flatten(1)
        uses.labels.join(lines[:, :1], lines, f"{what} reads them as one channel")
        vector = uses.labels.same(lines[:, 0])
    return vector


def conv(uses: Uses, layer: Conv, x: Tensor) -> Tensor:
    """A convolution: plain, grouped (all groups shrink alike) or depthwise (channels pass one by one)."""
    channel_dim = x.dim() - layer.weight.dim() + 1
    inputs = channels(uses, x, channel_dim, "a convolution")
    n_out, n_per_group = layer.weight.shape[:2]
    n_in = n_per_group * layer.groups
    if layer.groups == n_in and layer.groups > 1:
        rows = inputs.repeat_interleave(n_out // n_in)
        uses.add(layer.weight, 0, rows, "scored")
        uses.follow(layer.bias, 0, rows)
    else:
        rows = uses.rows(layer.weight, layer.bias, 0, n_out)
        if layer.groups > 1:
            _tie_groups(uses, inputs, rows, layer.groups)
        uses.columns(layer.weight, 1, inputs[:n_per_group])
    return along(layer, x, rows, channel_dim)


def _tie_groups(uses: Uses, inputs: Tensor, rows: Tensor, groups: int) -> None:
    """The k-th channel of every group goes together, so that the groups stay equal."""
    for labels in (inputs, rows):
        by_group = labels.reshape(groups, -1)
        uses.labels.join(by_group[:1], by_group, "grouped convolution: all groups shrink alike")


def transposed(uses: Uses, layer: Conv, x: Tensor) -> Tensor:
    """A transposed convolution keeps its inputs in its rows and its outputs in its columns."""
    channel_dim = x.dim() - layer.weight.dim() + 1
    inputs = channels(uses, x, channel_dim, "a transposed convolution")
    if layer.groups > 1:
        uses.labels.freeze(inputs, "a grouped transposed convolution ties its channels")
        return torch.full(_shape(layer, x), FROZEN)
    rows = uses.rows(layer.weight, layer.bias, 1, layer.weight.shape[1])
    uses.columns(layer.weight, 0, inputs)
    return along(layer, x, rows, channel_dim)


def linear(uses: Uses, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    """(..., in) -> (..., out)."""
    inputs = channels(uses, x, -1, "a linear layer")
    rows = uses.rows(weight, bias, 0, weight.shape[0])
    uses.columns(weight, 1, inputs)
    return rows.expand(*x.shape[:-1], len(rows))


def matrix(uses: Uses, weight: Tensor, x: Tensor) -> Tensor:
    """x @ weight: a linear layer whose weight lies the other way round."""
    inputs = channels(uses, x, -1, "a matrix product")
    rows = uses.rows(weight, None, 1, weight.shape[1])
    uses.columns(weight, 0, inputs)
    return rows.expand(*x.shape[:-1], len(rows))


def per_channel(uses: Uses, module: object, x: Tensor) -> Tensor:
    """Batch normalisation, PReLU: one number for each channel."""
    vector = channels(uses, x, 1, "batch normalisation")
    for name in ("weight", "bias", "running_mean", "running_var"):
        uses.follow(getattr(module, name, None), 0, vector)
    return x


def group_norm(uses: Uses, module: Any, x: Tensor) -> Tensor:
    """Group normalisation: the channels of one group are normalised together, so they go together."""
    vector = channels(uses, x, 1, "group normalisation")
    if module.num_groups == 1:
        uses.labels.freeze(vector, "GroupNorm with one group mixes all its channels")
    by_group = vector.reshape(module.num_groups, -1)
    uses.labels.join(by_group[:, :1], by_group, "group normalisation: a group goes as a whole")
    uses.follow(module.weight, 0, vector)
    uses.follow(module.bias, 0, vector)
    return x


def embedding(uses: Uses, weight: Tensor, x: Tensor) -> Tensor:
    """Its columns stay; where its weight serves as another layer's too, those columns stay with them."""
    vector = torch.full((weight.shape[1],), FROZEN)
    uses.columns(weight, 1, vector)
    return vector.expand(*x.shape, len(vector))


def along(layer: Conv, x: Tensor, rows: Tensor, channel_dim: int) -> Tensor:
    """``rows`` along the channel dimension of what ``layer`` makes of data shaped like x."""
    shape = _shape(layer, x)
    view = [1] * len(shape)
    view[channel_dim] = len(rows)
    return rows.reshape(view).expand(shape)


def _shape(layer: Conv, x: Tensor) -> torch.Size:
    """The shape of what a layer makes of data shaped like x."""
    outputs: Tensor = layer.call(torch.zeros(x.shape, dtype=layer.weight.dtype))
    return outputs.shape


def tie_across(uses: Uses, x: Tensor, dim: int, reason: str) -> Tensor:
    """Whatever stands at different places along ``dim`` becomes one; the labels that are left."""
    uses.labels.join(x.narrow(dim, 0, 1), x, reason)
    return uses.labels.same(x)


def varying(x: Tensor) -> Sequence[int]:
    """The dimensions along which labels change."""
    return [d for d in range(x.dim()) if x.shape[d] > 1 and constant_along(x, [d]) is None]
