from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.evidence.tracks import Made, makers_of, mark
from explorer.pruning.evidence.watching import Watch, argument, watched
from explorer.types import LoadedModel, Split
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.operators import OPERATORS, Rule, named

# What gives exact zeros, so that counting them means something.
_NONLINEAR = {op.name for op in OPERATORS if op.makes_zeros} | {"_threshold", "threshold_"}
# What may stand between a layer and its nonlinearity: each channel stays what it was.
BETWEEN = {
    *("batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm", "dropout", "dropout1d", "dropout2d"),
    *("add", "__add__", "__radd__", "add_", "__iadd__", "sub", "__sub__", "contiguous", "clone"),
    *("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d"),
    *("mul", "__mul__", "mul_", "__imul__"),
}
CONVOLUTIONS = {name: int(name[-2]) for name in named(Rule.CONVOLUTION) | named(Rule.TRANSPOSED)}


class Zeros:
    """The share of zeros in each output channel of a layer after the nonlinearity that reads it.

    One mapping, parameter -> (channels,), from 0 to 1: the mean over samples and places, and over all
    nonlinearities that read the layer (through normalisation, pooling and residual additions). Layers
    that no ReLU or the like follows are absent.
    """

    key: ClassVar[str] = "zeros"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        counts: dict[str, tuple[Tensor, int]] = {}

        def make(names: Mapping[int, str]) -> _Count:
            return _Count(names, counts)

        watched(model, split, make)
        return {name: (zeros / n).float() for name, (zeros, n) in counts.items()}


class _Count(Watch):
    def __init__(self, names: Mapping[int, str], counts: dict[str, tuple[Tensor, int]]) -> None:
        super().__init__(names)
        self._counts = counts

    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: GraphValue) -> None:
        if name == "linear" or name in CONVOLUTIONS:
            parameter = self.name_of(argument(args, kwargs, 1, "weight"))
            if parameter is not None:
                dim = -1 - CONVOLUTIONS.get(name, 0)
                mark(out, frozenset({Made(parameter, dim, out.shape[dim])}))
        elif name in _NONLINEAR or (name == "hardtanh" and argument(args, kwargs, 1, "min_val") == 0):  # ReLU6
            for maker in makers_of(args, kwargs):
                self._count(maker, out)
            mark(out, frozenset())  # it may be the very tensor that came in
        elif name in BETWEEN:
            mark(out, makers_of(args, kwargs))

    def _count(self, maker: Made, out: Tensor) -> None:
        if out.dim() < -maker.dim or out.shape[maker.dim] != maker.n:
            return
        by_channel = out.movedim(maker.dim, 0).reshape(maker.n, -1)
        zeros, n = self._counts.get(maker.parameter, (torch.zeros(maker.n, dtype=torch.float64), 0))
        self._counts[maker.parameter] = zeros + (by_channel == 0).sum(dim=1), n + by_channel.shape[1]
