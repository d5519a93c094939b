"""The walk over the traced network that hands channel labels from operation to operation."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.pruning.labels import FROZEN, Labels, constant_along

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_PER_CHANNEL = (nn.modules.batchnorm._NormBase,)
_SUMS = {torch.add, operator.add, operator.iadd, torch.sub, operator.sub, operator.isub, "add", "add_", "sub", "sub_"}
_PRODUCTS = {
    torch.mul, operator.mul, operator.imul, torch.div, operator.truediv, torch.maximum, torch.minimum,
    "mul", "mul_", "div", "div_",
}  # fmt: skip
_MOVES = {
    torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze, torch.cat,
    torch.concat, torch.stack, torch.chunk, torch.split, torch.narrow, torch.select, torch.movedim, torch.flip,
    torch.roll, torch.unbind, torch.clone, torch.swapaxes, torch.tile, operator.getitem, getattr,
    "flatten", "reshape", "view", "permute", "transpose", "squeeze", "unsqueeze", "chunk", "split", "narrow",
    "select", "movedim", "flip", "roll", "unbind", "clone", "contiguous", "expand", "expand_as", "repeat", "detach",
    "size", "dim", "swapaxes", "unflatten", "view_as", "reshape_as", "t", "to",
}  # fmt: skip
_UNARY = {
    F.relu, F.relu6, F.gelu, F.silu, F.elu, F.selu, F.celu, F.leaky_relu, F.hardtanh, F.hardswish, F.hardsigmoid,
    F.mish, F.softplus, F.sigmoid, F.tanh, F.dropout, F.dropout2d, F.dropout1d, F.logsigmoid, F.softsign,
    torch.relu, torch.relu_, torch.sigmoid, torch.tanh, torch.abs, torch.exp, torch.sqrt, torch.square, torch.neg,
    torch.clamp, torch.pow, torch.erf, operator.neg, operator.pow,
    "relu", "relu_", "sigmoid", "tanh", "abs", "exp", "sqrt", "square", "neg", "clamp", "pow", "float", "type_as",
}  # fmt: skip
_SPATIAL = {
    F.max_pool1d, F.max_pool2d, F.max_pool3d, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d, F.adaptive_avg_pool1d,
    F.adaptive_avg_pool2d, F.adaptive_avg_pool3d, F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.interpolate,
}  # fmt: skip
_REDUCTIONS = {torch.mean, torch.sum, torch.amax, torch.amin, "mean", "sum", "amax", "amin"}
_UNARY_MODULES = (
    nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.CELU, nn.LeakyReLU, nn.Hardtanh, nn.Hardswish,
    nn.Hardsigmoid, nn.Mish, nn.Softplus, nn.Sigmoid, nn.Tanh, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity,
    nn.LogSigmoid, nn.Softsign,
)  # fmt: skip
_SPATIAL_MODULES = (
    nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd, nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd, nn.Upsample,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Use:
    """The slices of ``parameter`` along ``dim`` belong to the channels ``labels``, one a slice."""

    parameter: str
    dim: int
    labels: Tensor
    role: Literal["scored", "follows", "consumes"]


class Labeller(fx.Interpreter):
    """Runs a traced module on labels; ``uses`` collects which channels each parameter's slices belong to."""

    def __init__(self, graph: fx.GraphModule, labels: Labels, names: dict[int, str]) -> None:
        super().__init__(graph, garbage_collect_values=True)
        self.labels = labels
        self.uses: list[Use] = []
        # What each node with numbers in its call was given and made, for whoever cuts the network.
        self.shaped: dict[str, tuple[Any, Any]] = {}
        self._names = names

    def label(self, example: Tensor | tuple[Tensor, ...]) -> None:
        inputs = example if isinstance(example, tuple) else (example,)
        with torch.no_grad():
            result = self.run(*(torch.full(x.shape, FROZEN) for x in inputs))
        for value in _tensors(result):
            self.labels.freeze(value, "the network's output: one channel for each class or value")

    # -- the kinds of node -------------------------------------------------------------------

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n.op in ("call_function", "call_method") and n.args and (n.target in _MOVES or n.target is F.pad):
            first = self.fetch_args_kwargs_from_env(n)[0][0]
            self.shaped[n.name] = (first, result)
        return result

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Any:
        module = self.fetch_attr(target)
        if isinstance(module, _CONVS) and len(args) == 1:
            return self._conv(module, args[0])
        if isinstance(module, _TRANSPOSED):
            return self._transposed(module, args[0])
        if isinstance(module, nn.Linear):
            return self._linear(module, args[0])
        if isinstance(module, _PER_CHANNEL) or (isinstance(module, nn.PReLU) and module.weight.numel() > 1):
            return self._per_channel(module, args[0])
        if isinstance(module, (*_UNARY_MODULES, nn.PReLU)):
            return args[0]
        if isinstance(module, _SPATIAL_MODULES):
            return self._spatial(module, args, kwargs)
        if isinstance(module, nn.Flatten | nn.Unflatten):
            return module(args[0])
        if isinstance(module, nn.Embedding):
            return torch.full(module(torch.zeros(args[0].shape, dtype=torch.int64)).shape, FROZEN)
        return self._mixes(module, args, kwargs, f"{type(module).__name__} mixes all its channels")

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
        return self._call(target, target, getattr(target, "__name__", str(target)), args, kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Any:
        # Labels are often expanded views, which cannot be viewed again but can be reshaped.
        name = "reshape" if target == "view" else target

        def method(x: Any, *rest: Any, **named: Any) -> Any:
            return getattr(x, name)(*rest, **named)

        return self._call(target, method, target, args, kwargs)

    def _call(self, key: Any, function: Callable[..., Any], name: str, args: Any, kwargs: Any) -> Any:
        if not any(_is_labels(a) for a in _tensors((args, kwargs))):
            return function(*args, **kwargs)
        if key in _MOVES:
            return function(*args, **kwargs)
        if key in _SUMS:
            return self._binary(args[0], args[1], "added together")
        if key in _PRODUCTS:
            return self._binary(args[0], args[1], "multiplied together")
        if key in _UNARY:
            return args[0]
        if key in _SPATIAL:
            return self._spatial(function, args, kwargs)
        if key in _REDUCTIONS:
            return self._reduction(function, args, kwargs)
        if key is F.pad:
            return self._pad(args, kwargs)
        if key in (F.softmax, torch.softmax, "softmax"):
            return self._softmax(args, kwargs)
        return self._mixes(function, args, kwargs, f"{name} mixes all its channels")

    # -- layers with weights ----------------------------------------------------------------

    def _use(self, parameter: Tensor | None, dim: int, labels: Tensor, role: Any) -> None:
        if parameter is not None and id(parameter) in self._names:
            self.uses.append(Use(self._names[id(parameter)], dim, labels, role))

    def _rows(self, module: Any, dim: int, n: int) -> Tensor:
        """Labels for a layer's output channels; a layer that is called twice makes the same ones."""
        name = self._names[id(module.weight)]
        for use in self.uses:
            if use.parameter == name and use.role == "scored":
                return use.labels
        rows = self.labels.fresh(n)
        self._use(module.weight, dim, rows, "scored")
        self._use(module.bias, 0, rows, "follows")
        return rows

    def _columns(self, module: Any, dim: int, labels: Tensor) -> None:
        """A layer reads these channels; called twice, its columns tie both inputs together."""
        name = self._names[id(module.weight)]
        for use in self.uses:
            if use.parameter == name and use.role == "consumes" and use.dim == dim:
                self.labels.join(use.labels, labels, "read by one shared layer")
                return
        self._use(module.weight, dim, labels, "consumes")

    def _channels(self, x: Tensor, dim: int, what: str) -> Tensor:
        """(n_channels,) labels along ``dim``; whatever varies along other dimensions is frozen."""
        dim = dim % x.dim()
        vector = constant_along(x, [d for d in range(x.dim()) if d != dim])
        if vector is None:
            self.labels.freeze(x, f"{what} reads its channels in a way that cannot be followed")
            return torch.full((x.shape[dim],), FROZEN)
        return vector

    def _conv(self, module: Any, x: Tensor) -> Tensor:
        channel_dim = x.dim() - len(module.kernel_size) - 1
        inputs = self._channels(x, channel_dim, "a convolution")
        groups, n_in, n_out = module.groups, module.in_channels, module.out_channels
        if groups == n_in and groups > 1:
            rows = inputs.repeat_interleave(n_out // n_in)
            self._use(module.weight, 0, rows, "scored")
            self._use(module.bias, 0, rows, "follows")
        else:
            rows = self._rows(module, 0, n_out)
            if groups > 1:
                self._tie_groups(inputs, rows, groups)
            self._columns(module, 1, inputs[: n_in // groups])
        return self._shaped(module, x, rows, channel_dim)

    def _tie_groups(self, inputs: Tensor, rows: Tensor, groups: int) -> None:
        """The k-th channel of every group goes together, so that the groups stay equal."""
        for labels in (inputs, rows):
            by_group = labels.reshape(groups, -1)
            self.labels.join(by_group[:1], by_group, "grouped convolution: all groups shrink alike")

    def _transposed(self, module: Any, x: Tensor) -> Tensor:
        channel_dim = x.dim() - len(module.kernel_size) - 1
        inputs = self._channels(x, channel_dim, "a transposed convolution")
        if module.groups > 1:
            self.labels.freeze(inputs, "a grouped transposed convolution ties its channels")
            return torch.full(module(torch.zeros(x.shape)).shape, FROZEN)
        rows = self._rows(module, 1, module.out_channels)
        self._columns(module, 0, inputs)
        return self._shaped(module, x, rows, channel_dim)

    def _linear(self, module: Any, x: Tensor) -> Tensor:
        inputs = self._channels(x, -1, "a linear layer")
        rows = self._rows(module, 0, module.out_features)
        self._columns(module, 1, inputs)
        return rows.expand(*x.shape[:-1], module.out_features)

    def _per_channel(self, module: Any, x: Tensor) -> Tensor:
        channels = self._channels(x, 1, "batch normalisation")
        for name in ("weight", "bias", "running_mean", "running_var"):
            self._use(getattr(module, name, None), 0, channels, "follows")
        return x

    # -- operations without weights -----------------------------------------------------------

    def _shaped(self, function: Callable[..., Any], x: Tensor, rows: Tensor, channel_dim: int) -> Tensor:
        """``rows`` along the channel dimension of what ``function`` makes of data shaped like x."""
        shape = function(torch.zeros(x.shape)).shape
        view = [1] * len(shape)
        view[channel_dim] = len(rows)
        return rows.reshape(view).expand(shape)

    def _binary(self, a: Any, b: Any, reason: str) -> Any:
        if isinstance(b, Tensor) and isinstance(a, Tensor):
            if id(a) in self._names or a.is_floating_point():
                a, b = b, a
            if b.is_floating_point():
                self._constant(a, b)
                return _broadcast(a, b)
            for one, other in ((a, b), (b, a)):
                if _repeats_over(one, other):
                    self.labels.freeze(one, f"{reason} with every channel")
                    return _broadcast(other, one)
            self.labels.join(a, b, reason)
            return _broadcast(a, b)
        return a if isinstance(a, Tensor) else b

    def _constant(self, x: Tensor, constant: Tensor) -> None:
        """A parameter that is added or multiplied shrinks with the one dimension that holds channels."""
        if constant.dim() == 0 or id(constant) not in self._names:
            return
        full = _broadcast(x, constant)
        lead = full.dim() - constant.dim()
        for dim in range(constant.dim()):
            others = [d for d in range(full.dim()) if d != dim + lead]
            vector = constant_along(full, others)
            if vector is not None and constant.shape[dim] == len(vector) > 1:
                self._use(constant, dim, vector, "follows")
                return
        if bool((self.labels.roots(x) > FROZEN).any()) and constant.numel() > 1:
            self.labels.freeze(x, "combined with a parameter whose layout cannot be followed")

    def _spatial(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        x = args[0]
        shape = function(torch.zeros(x.shape), *args[1:], **kwargs).shape
        vector = constant_along(x, list(range(2, x.dim())))
        if vector is None:
            self.labels.freeze(x, "pooled over different channels")
            return torch.full(shape, FROZEN)
        return vector.reshape(*vector.shape, *[1] * (len(shape) - 2)).expand(shape)

    def _reduction(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        x = args[0]
        shape = function(torch.zeros(x.shape), *args[1:], **kwargs).shape
        dims = kwargs.get("dim", args[1] if len(args) > 1 else None)
        dims = list(range(x.dim())) if dims is None else ([dims] if isinstance(dims, int) else list(dims))
        vector = constant_along(x, dims)
        if vector is None:
            self.labels.freeze(x, "averaged over all its channels")
            return torch.full(shape, FROZEN)
        return vector.reshape(shape)

    def _pad(self, args: Any, kwargs: Any) -> Tensor:
        """New channels get labels of their own: what they are added to decides whether they go."""
        x: Tensor = args[0]
        pad = kwargs.get("pad", args[1] if len(args) > 1 else ())
        for i in range(0, len(pad), 2):
            dim, before, after = x.dim() - 1 - i // 2, pad[i], pad[i + 1]
            if before <= 0 and after <= 0 and (before or after):
                x = x.narrow(dim, -before, x.shape[dim] + before + after)
            elif dim == 1 or constant_along(x, [dim]) is None:
                x = torch.cat([self._new(x, dim, before), x, self._new(x, dim, after)], dim)
            else:
                places = torch.arange(-before, x.shape[dim] + after).clamp(0, x.shape[dim] - 1)
                x = x.index_select(dim, places)
        return x

    def _new(self, x: Tensor, dim: int, n: int) -> Tensor:
        shape = [n if d == dim else size for d, size in enumerate(x.shape)]
        return self.labels.fresh(n).reshape([-1 if d == dim else 1 for d in range(x.dim())]).expand(shape)

    def _softmax(self, args: Any, kwargs: Any) -> Tensor:
        x: Tensor = args[0]
        dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
        if constant_along(x, [dim]) is None:
            self.labels.freeze(x, "softmax mixes all its channels")
        return x

    def _mixes(self, function: Callable[..., Any], args: Any, kwargs: Any, reason: str) -> Any:
        """Whatever is not known to keep channels apart freezes everything that goes in."""
        for value in _tensors((args, kwargs)):
            if _is_labels(value):
                self.labels.freeze(value, reason)
        zeros = fx.node.map_aggregate((args, kwargs), _zeros)
        result = function(*zeros[0], **zeros[1])  # type: ignore[index, misc]
        return fx.node.map_aggregate(result, lambda v: torch.full(v.shape, FROZEN) if isinstance(v, Tensor) else v)


def _broadcast(labels: Tensor, other: Tensor) -> Tensor:
    """The labels in the shape that an elementwise operation with ``other`` gives."""
    return labels + torch.zeros(other.shape, dtype=labels.dtype)


def _repeats_over(one: Tensor, other: Tensor) -> bool:
    """Whether ``one`` has a single entry along a dimension that holds ``other``'s channels."""
    lead = other.dim() - one.dim()
    return any(
        other.shape[d] > 1 and (d < lead or one.shape[d - lead] == 1) and constant_along(other, [d]) is None
        for d in range(other.dim())
    )


def _is_labels(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.int64


def _zeros(value: Any) -> Any:
    return torch.zeros(value.shape) if _is_labels(value) else value


def _tensors(value: Any) -> list[Tensor]:
    found: list[Tensor] = []
    fx.node.map_aggregate(value, lambda v: found.append(v) if isinstance(v, Tensor) else None)
    return found
