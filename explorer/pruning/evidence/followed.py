"""Outputs of layers, followed to the nonlinearities that read them while the network runs."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from explorer.pruning.evidence.tracks import Made, makers_of, mark
from explorer.pruning.evidence.watching import Watch, argument
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments
from explorer.types.operators import Rule, named

# What may stand between a layer and its nonlinearity: each channel stays what it was.
_BETWEEN = {
    *("batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm", "dropout", "dropout1d", "dropout2d"),
    *("add", "__add__", "__radd__", "add_", "__iadd__", "sub", "__sub__", "contiguous", "clone"),
    *("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d"),
    *("mul", "__mul__", "mul_", "__imul__"),
}
_CONVOLUTIONS = {name: int(name[-2]) for name in named(Rule.CONVOLUTION) | named(Rule.TRANSPOSED)}


class FollowedOutputs(Watch):
    """A watch that hears of each layer's outputs, and of those after each nonlinearity that reads the layer.

    Between the two may stand normalisation, pooling and residual additions.
    """

    def saw(self, name: str, args: CallArguments, kwargs: NamedArguments, out: GraphValue) -> None:
        """The outputs of layers carry a mark until a nonlinearity has read them."""
        if name == "linear" or name in _CONVOLUTIONS:
            parameter = self.name_of(argument(args, kwargs, 1, "weight"))
            if parameter is not None:
                dim = -1 - _CONVOLUTIONS.get(name, 0)
                mark(out, frozenset({Made(parameter, dim, out.shape[dim])}))
                self.came_out(parameter, out, dim)
        elif self.is_nonlinear(name, args, kwargs):
            for maker in makers_of(args, kwargs):
                if out.dim() >= -maker.dim and out.shape[maker.dim] == maker.n:
                    self.came_after(maker, name, out)
            mark(out, frozenset())  # it may be the very tensor that came in
        elif name in _BETWEEN:
            mark(out, makers_of(args, kwargs))

    @abstractmethod
    def is_nonlinear(self, name: str, args: CallArguments, kwargs: NamedArguments) -> bool:
        """Whether this operator is one of the nonlinearities that are waited for."""

    def came_out(self, parameter: str, out: Tensor, dim: int) -> None:
        """These are a layer's outputs; ``dim``, from the end, is that of the channels."""

    @abstractmethod
    def came_after(self, maker: Made, name: str, out: Tensor) -> None:
        """These came out of the nonlinearity ``name``, which read the outputs of ``maker``: as many channels."""
