"""What layers with weights do to channel labels: their rows make channels, their columns read them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.views import constant_along, distinct, frozen
from explorer.types.aliases import GraphValue

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
PER_CHANNEL = (nn.modules.batchnorm._NormBase,)


@dataclass(frozen=True)
class Conv:
    """What counts of a convolution, be it a layer or a function with its weights handed in."""

    weight: Tensor
    bias: Tensor | None
    groups: int
    call: Callable[[Tensor, Tensor], Tensor]  # of data and a weight

    @classmethod
    def of(cls, module: GraphValue) -> Conv:
        """A layer."""
        return cls(module.weight, module.bias, module.groups, partial(_called, module))


def _called(module: nn.Module, x: Tensor, weight: Tensor) -> Tensor:
    shell = copy.copy(module)
    shell._parameters = {"weight": nn.Parameter(weight, requires_grad=False), "bias": None}
    outputs: Tensor = shell(x)
    return outputs


def channels(uses: Uses, x: Tensor, dim: int, what: str) -> Tensor:
    """(n_channels,) labels along ``dim``; whatever stands in one channel at other places goes with it."""
    dim = dim % x.dim()
    others = [d for d in range(x.dim()) if d != dim]
    vector = constant_along(x, others)
    if vector is None:
        lines = distinct(x).movedim(dim, 0).flatten(1)
        uses.labels.join(lines[:, :1], lines, f"{what} reads them as one channel")
        vector = uses.labels.same(lines[:, 0]).expand(x.shape[dim])
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
        return frozen(_shape(layer, x))
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
    names = ("weight", "bias", "running_mean", "running_var")
    return each_channel(uses, [getattr(module, name, None) for name in names], x)


def each_channel(uses: Uses, tensors: Iterable[Tensor | None], x: Tensor) -> Tensor:
    """The same with the numbers handed in."""
    vector = channels(uses, x, 1, "batch normalisation")
    for tensor in tensors:
        uses.follow(tensor, 0, vector)
    return x


def embedding(uses: Uses, weight: Tensor, x: Tensor) -> Tensor:
    """Its columns are channels like any other; where its weight serves as another layer's too, they are the same."""
    vector = uses.own(weight, 1)
    return vector.expand(*x.shape, len(vector))


def along(layer: Conv, x: Tensor, rows: Tensor, channel_dim: int) -> Tensor:
    """``rows`` along the channel dimension of what ``layer`` makes of data shaped like x."""
    shape = _shape(layer, x)
    view = [1] * len(shape)
    view[channel_dim] = len(rows)
    return rows.reshape(view).expand(shape)


def _shape(layer: Conv, x: Tensor) -> torch.Size:
    """The shape of what a layer makes of data shaped like x."""
    data, weight = (torch.empty(t.shape, dtype=layer.weight.dtype, device="meta") for t in (x, layer.weight))
    return layer.call(data, weight).shape


def tie_across(uses: Uses, x: Tensor, dim: int, reason: str) -> Tensor:
    """Whatever stands at different places along ``dim`` becomes one; the labels that are left."""
    uses.labels.join(x.narrow(dim, 0, 1), x, reason)
    return uses.labels.same(x)
