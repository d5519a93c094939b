from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.evidence.followed import FollowedOutputs
from explorer.pruning.evidence.tracks import Made
from explorer.pruning.evidence.watching import argument, watched
from explorer.types import LoadedModel, Split
from explorer.types.aliases import CallArguments, NamedArguments
from explorer.types.operators import OPERATORS

# What gives exact zeros, so that counting them means something.
_NONLINEAR = {op.name for op in OPERATORS if op.makes_zeros} | {"_threshold", "threshold_"}


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


class _Count(FollowedOutputs):
    def __init__(self, names: Mapping[int, str], counts: dict[str, tuple[Tensor, int]]) -> None:
        super().__init__(names)
        self._counts = counts

    def is_nonlinear(self, name: str, args: CallArguments, kwargs: NamedArguments) -> bool:
        return name in _NONLINEAR or (name == "hardtanh" and argument(args, kwargs, 1, "min_val") == 0)  # ReLU6

    def came_after(self, maker: Made, name: str, out: Tensor) -> None:
        by_channel = out.movedim(maker.dim, 0).reshape(maker.n, -1)
        zeros, n = self._counts.get(maker.parameter, (torch.zeros(maker.n, dtype=torch.float64), 0))
        self._counts[maker.parameter] = zeros + (by_channel == 0).sum(dim=1), n + by_channel.shape[1]
