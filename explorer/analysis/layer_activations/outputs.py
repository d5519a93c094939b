"""Whose outputs are seen while a network runs: those of a layer, and those after the nonlinearity that reads it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from explorer.pruning.evidence.tracks import Made, makers_of, mark
from explorer.pruning.evidence.watching import Watch, argument
from explorer.pruning.evidence.zeros import BETWEEN, CONVOLUTIONS
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.operators import OPERATORS

_NONLINEAR = {op.name for op in OPERATORS if op.activation or op.makes_zeros} | {
    *("sigmoid", "tanh", "softplus", "hardsigmoid", "hardtanh", "softsign", "logsigmoid", "_threshold", "threshold_")
}


@dataclass(frozen=True)
class Viewpoint:
    """Where values are looked at: at the layer of a parameter itself, or after the nonlinearity that reads it."""

    parameter: str
    is_after: bool


class LayerOutputs(Watch):
    """A watch whose ``values`` hears of each layer's outputs, and of those after the nonlinearity that reads it.

    Now running are ``n_samples``, the first of which is number ``at`` of the split.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__(names)
        self.at, self.n_samples = 0, 0

    def begins(self, at: int, n: int) -> None:
        """The next calls are of these samples."""
        self.at, self.n_samples = at, n

    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: GraphValue) -> None:
        """The outputs of layers carry a mark until a nonlinearity has read them."""
        if name == "linear" or name in CONVOLUTIONS:
            parameter = self.name_of(argument(args, kwargs, 1, "weight"))
            if parameter is not None:
                dim = -1 - CONVOLUTIONS.get(name, 0)
                mark(out, frozenset({Made(parameter, dim, out.shape[dim])}))
                self.values(Viewpoint(parameter, is_after=False), "", out, dim)
        elif name in _NONLINEAR:
            for maker in makers_of(args, kwargs):
                if out.dim() >= -maker.dim and out.shape[maker.dim] == maker.n:
                    self.values(Viewpoint(maker.parameter, is_after=True), name.strip("_"), out, maker.dim)
            mark(out, frozenset())  # it may be the very tensor that came in
        elif name in BETWEEN:
            mark(out, makers_of(args, kwargs))

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
