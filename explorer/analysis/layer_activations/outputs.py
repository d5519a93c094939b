"""Whose outputs are seen while a network runs: those of a layer, and those after the nonlinearity that reads it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from explorer.pruning.evidence.followed import FollowedOutputs
from explorer.pruning.evidence.tracks import Made
from explorer.types.aliases import CallArguments, NamedArguments
from explorer.types.operators import OPERATORS

_NONLINEAR = {op.name for op in OPERATORS if op.activation or op.makes_zeros} | {
    *("sigmoid", "tanh", "softplus", "hardsigmoid", "hardtanh", "softsign", "logsigmoid", "_threshold", "threshold_")
}


@dataclass(frozen=True)
class Viewpoint:
    """Where values are looked at: at the layer of a parameter itself, or after the nonlinearity that reads it."""

    parameter: str
    is_after: bool


class LayerOutputs(FollowedOutputs):
    """A watch whose ``values`` hears of each layer's outputs, and of those after the nonlinearity that reads it.

    Now running are ``n_samples``, the first of which is number ``at`` of the split.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__(names)
        self.at, self.n_samples = 0, 0

    def begins(self, at: int, n: int) -> None:
        """The next calls are of these samples."""
        self.at, self.n_samples = at, n

    def is_nonlinear(self, name: str, args: CallArguments, kwargs: NamedArguments) -> bool:
        """Every function that is applied to each value by itself."""
        return name in _NONLINEAR

    def came_out(self, parameter: str, out: Tensor, dim: int) -> None:
        """At the layer itself."""
        self.values(Viewpoint(parameter, is_after=False), "", out, dim)

    def came_after(self, maker: Made, name: str, out: Tensor) -> None:
        """After the nonlinearity."""
        self.values(Viewpoint(maker.parameter, is_after=True), name.strip("_"), out, maker.dim)

    @abstractmethod
    def values(self, place: Viewpoint, name: str, out: Tensor, dim: int) -> None:
        """These came out at that place; ``dim``, from the end, is that of the channels."""


def by_channel(out: Tensor, dim: int) -> Tensor:
    """(channels, values): a row a channel."""
    return out.detach().movedim(dim, 0).flatten(1) if out.dim() > 1 else out.detach()[:, None]


def by_sample(out: Tensor, dim: int, n: int) -> Tensor | None:
    """(channels, n): the largest value of each channel in each sample; None where ``out`` is not one row a sample."""
    if out.dim() < 2 or out.shape[0] != n or out.dim() == -dim:
        return None
    largest = out.detach().movedim(dim, 1).flatten(2).amax(dim=2) if out.dim() > 2 else out.detach()
    return largest.T.float().nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
