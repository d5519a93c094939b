"""The walk over the traced network that hands channel labels from operation to operation."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.pruning.coupling.labels import FROZEN, Labels, constant_along
from explorer.pruning.coupling.uses import Uses
from explorer.pruning.operators import layers, products, recurrent
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, tensors_of
from explorer.types.operators import Rule, layer_classes, rule_of
from explorer.types.stopping import check

_MOVING = {Rule.MOVE, Rule.JOIN, Rule.PAD}
_GRID = "reshaped into a grid whose rows shrink alike"


class Labeller(fx.Interpreter):
    """Runs a traced module on labels; ``uses`` collects which channels each parameter's slices belong to."""

    def __init__(self, graph: fx.GraphModule, labels: Labels, names: Mapping[int, str]) -> None:
        super().__init__(graph, garbage_collect_values=True)
        self.labels = labels
        self.uses = Uses(labels, names)
        # What each node with numbers in its call was given and made, for whoever cuts the network.
        self.shaped: dict[str, tuple[GraphValue, GraphValue]] = {}
        # Recurrent layers that are handed zeros to start from: without them they start the same.
        self.from_zero: set[str] = set()
        self._node = ""
        self._dtype = next((p.dtype for p in graph.parameters() if p.is_floating_point()), torch.float32)

    def label(self, example: Inputs) -> None:
        with torch.no_grad():
            result = self.run(*(torch.full(x.shape, FROZEN) for x in tensors_of(example).values()))
        for value in _tensors(result):
            if _is_labels(value):
                self.labels.freeze(value, "the network's output: one channel for each class or value")
        while self._tie_grids():
            pass

    def _tie_grids(self) -> bool:
        """Every tensor must stay a full grid: where channels stand on two of its dimensions, tie one of them."""
        before = self.labels.n_apart
        for _, result in self.shaped.values():
            check()
            for x in filter(_is_labels, _tensors(result)):
                roots = self.labels.roots(x)
                while len(dims := layers.varying(roots)) > 1:
                    self.labels.join(roots.narrow(dims[0], 0, 1), roots, _GRID)
                    roots = self.labels.roots(x)
        return self.labels.n_apart < before

    # -- the kinds of node -------------------------------------------------------------------

    def run_node(self, n: fx.Node) -> GraphValue:
        check()
        self._node = n.name
        result = super().run_node(n)
        if n.op != "call_module" and n.name not in self.shaped and n.args:
            moves = n.op in ("call_function", "call_method") and rule_of(n.target) in _MOVING
            first = self.fetch_args_kwargs_from_env(n)[0][0] if moves else None
            if moves and any(map(_is_labels, _tensors((first, result)))):
                self.shaped[n.name] = (first, result)
        return result

    def call_module(self, target: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        module = self.fetch_attr(target)
        reason = f"{type(module).__name__} mixes all its channels"
        x = args[0] if args else None
        if not isinstance(x, Tensor) or not _is_labels(x) or (kwargs and not isinstance(module, recurrent.LAYERS)):
            return self._mixes(module, args, kwargs, reason)
        if isinstance(module, recurrent.LAYERS):
            return self._recurrent(module, args, kwargs)
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and self.uses.knows(weight) and len(args) == 1:
            labelled = self._layer(module, x)
            return self._mixes(module, args, kwargs, reason) if labelled is None else labelled
        return self._plain_module(module, args, kwargs, reason)

    def _layer(self, module: object, x: Tensor) -> GraphValue:
        if isinstance(module, layers.CONVS + layers.TRANSPOSED):
            rule = layers.conv if isinstance(module, layers.CONVS) else layers.transposed
            return rule(self.uses, layers.Conv(module.weight, module.bias, module.groups, module), x)
        if isinstance(module, nn.Linear):
            return layers.linear(self.uses, module.weight, module.bias, x)
        if isinstance(module, layers.PER_CHANNEL):
            return layers.per_channel(self.uses, module, x)
        if isinstance(module, nn.PReLU):
            return x if module.weight.numel() == 1 else layers.per_channel(self.uses, module, x)
        if isinstance(module, nn.GroupNorm):
            return self._group_norm(module, x)
        if isinstance(module, nn.Embedding):
            return layers.embedding(self.uses, module.weight, x)
        return None

    def _plain_module(self, module: Any, args: CallArguments, kwargs: NamedArguments, reason: str) -> GraphValue:
        x = args[0]
        if isinstance(module, layer_classes(Rule.UNARY)):
            return x
        if isinstance(module, layers.PER_CHANNEL) and module.weight is None:
            return layers.per_channel(self.uses, module, x)
        if isinstance(module, nn.GroupNorm) and module.weight is None:
            return self._group_norm(module, x)
        if isinstance(module, layer_classes(Rule.SPATIAL)):
            return self._spatial(module, args, kwargs)
        if isinstance(module, nn.Flatten | nn.Unflatten):
            self.shaped[self._node] = (x, reshaped := module(x))
            return reshaped
        if isinstance(module, nn.GLU):
            return self._gated(x, module.dim)
        if isinstance(module, nn.PixelShuffle):
            return self._pixel_shuffle(module, x)
        if isinstance(module, nn.ChannelShuffle):
            vector = layers.channels(self.uses, x, 1, "a channel shuffle")
            by_group = vector.reshape(module.groups, -1)
            self.labels.join(by_group[:1], by_group, "channel shuffle: all groups shrink alike")
            return module(x.contiguous())
        return self._mixes(module, args, kwargs, reason)

    def call_function(self, target: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        return self._call(target, target, getattr(target, "__name__", str(target)), args, kwargs)

    def call_method(self, target: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        # Labels are often expanded views, which cannot be viewed again but can be reshaped.
        name = "reshape" if target == "view" else target

        def method(x: GraphValue, *rest: Any, **named: Any) -> GraphValue:
            return getattr(x, name)(*rest, **named)

        return self._call(target, method, target, args, kwargs)

    def _call(
        self, key: GraphValue, function: Operation, name: str, args: CallArguments, kwargs: NamedArguments
    ) -> GraphValue:
        if not any(_is_labels(a) for a in _tensors((args, kwargs))):
            return self._on_numbers(key, function, args, kwargs)
        rule = rule_of(key)
        if rule is Rule.JOIN:
            return self._joined(function, args, kwargs)
        if rule is Rule.MOVE:
            return self._moved(key, function, args, kwargs)
        if rule is Rule.SUM:
            return self._binary(args[0], args[1], "added together")
        if rule is Rule.PRODUCT:
            return self._binary(args[0], args[1], "multiplied together")
        if rule is Rule.UNARY and _is_labels(args[0]):
            return args[0]
        result = self._with_weights(rule, function, args, kwargs)
        result = self._other(rule, function, args, kwargs) if result is None else result
        return self._mixes(function, args, kwargs, f"{name} mixes all its channels") if result is None else result

    def _moved(self, key: GraphValue, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        moved = function(*args, **kwargs)
        parts = args[1] if key is operator.getitem and isinstance(args[1], tuple) else args[1:2]
        odd = [
            part for part in parts if isinstance(part, Tensor | list) or getattr(part, "step", None) not in (None, 1)
        ]
        if key is operator.getitem and odd and _is_labels(moved):
            # Where only places are picked, all channels are still there.
            kept = self.labels.same(moved).unique()  # type: ignore[no-untyped-call]
            if len(kept) < len(self.labels.same(args[0]).unique()):  # type: ignore[no-untyped-call]
                self.labels.freeze(args[0], "single channels are picked by number")
        return moved

    def _on_numbers(
        self, key: GraphValue, function: Operation, args: CallArguments, kwargs: NamedArguments
    ) -> GraphValue:
        """An operation on weights and constants; a slice of a weight is still that weight's."""
        result = function(*args, **kwargs)
        if key is operator.getitem and isinstance(args[0], Tensor) and id(args[0]) in self.uses.names:
            if isinstance(args[1], slice) and args[1].step is None:
                self.shaped[self._node] = self.uses.slice_of(args[0], args[1], result)
            elif isinstance(args[1], tuple) and all(isinstance(part, slice) for part in args[1]):
                self.uses.view_of(args[0], result)
        return result

    def _with_weights(
        self, rule: Rule | None, function: Operation, args: CallArguments, kwargs: NamedArguments
    ) -> GraphValue:
        """Functions that are handed their weights."""
        x, (weight, bias) = args[0], _given(args, kwargs, ("weight", 1), ("bias", 2))
        if rule is Rule.MATRIX_PRODUCT and self.uses.knows(args[1]) and args[1].dim() == 2:
            return layers.matrix(self.uses, args[1], x) if _is_labels(x) else None
        if not _is_labels(x) or not self.uses.knows(weight):
            return None
        if rule is Rule.EMBEDDING:
            return layers.embedding(self.uses, weight, x)
        if not (bias is None or self.uses.knows(bias)):
            return None
        if rule is Rule.LINEAR:
            return layers.linear(self.uses, weight, bias, x)
        if rule is Rule.CONVOLUTION:
            groups = _given(args, kwargs, ("groups", 6))[0] or 1
            rest = dict(zip(("stride", "padding", "dilation", "groups"), args[3:], strict=False)) | kwargs
            rest = {name: value for name, value in rest.items() if name not in ("input", "weight", "bias")}
            if groups == 1 or groups < x.shape[-weight.dim() + 1]:
                call = layers.Conv(weight, bias, groups, lambda x: function(x, weight, bias, **rest))
                return layers.conv(self.uses, call, x)
        return None

    def _other(self, rule: Rule | None, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        if rule is Rule.SPATIAL:
            return self._spatial(function, args, kwargs)
        if rule is Rule.REDUCTION:
            return self._reduction(function, args, kwargs)
        if rule is Rule.PAD:
            return self._pad(args, kwargs)
        if rule is Rule.SOFTMAX:
            return self._softmax(args, kwargs)
        if rule is Rule.MASKED_FILL and _is_labels(args[0]):
            return _broadcast(args[0], args[1])
        if rule is Rule.GATED:
            return self._gated(args[0], *_given(args, kwargs, ("dim", 1)))
        if rule is Rule.PIXEL_SHUFFLE:
            return self._pixel_shuffle(function, *args, **kwargs)
        return self._product(rule, args, kwargs)

    def _product(self, rule: Rule | None, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """Products of activations."""
        if rule is Rule.MATRIX_PRODUCT:
            return products.matmul(self.uses, *map(products.labels_of, args[:2]))
        if rule is Rule.EINSUM:
            operands = args[1] if len(args) == 2 and isinstance(args[1], list | tuple) else args[1:]
            return products.einsum(self.uses, args[0], [products.labels_of(x) for x in operands])
        if rule is Rule.ATTENTION:
            return self._attention(args, kwargs)
        return None

    # -- rules that need more than a name ------------------------------------------------------

    def _group_norm(self, module: object, x: Tensor) -> Tensor:
        normalised = layers.group_norm(self.uses, module, x)
        self.shaped[self._node] = (x, normalised)
        return normalised

    def _recurrent(self, module: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        reason = recurrent.why_not(module)
        if reason is not None:
            return self._mixes(module, args, kwargs, reason)
        states = _tensors(_given(args, kwargs, ("hx", 1)))
        if states and not any(_is_labels(state) or bool(state.any()) for state in states):
            self.from_zero.add(self._node)
        return recurrent.recurrent(self.uses, module, args[0], states)

    def _attention(self, args: CallArguments, kwargs: NamedArguments) -> Tensor:
        q, k, v = (products.labels_of(x) for x in args[:3])
        mask = _given(args, kwargs, ("attn_mask", 3))[0]
        out = products.attention(self.uses, q, k, v, grouped=bool(kwargs.get("enable_gqa")))
        if isinstance(mask, Tensor):
            if _is_labels(mask):
                self.labels.freeze(mask, "a mask over an attention")
            else:
                self.uses.constant(out[..., :1].expand(*out.shape[:-1], k.shape[-2]), mask)
        return out

    def _joined(self, function: Operation, args: CallArguments, kwargs: NamedArguments) -> Tensor:
        """Concatenated or stacked: whatever is not along that dimension must stay equally wide."""
        pieces = [products.labels_of(x) for x in args[0]]
        joined: Tensor = function(pieces, *args[1:], **kwargs)
        dim = int(_given(args, kwargs, ("dim", 1))[0] or 0) % joined.dim()
        for other in layers.varying(joined):
            if other != dim and constant_along(joined, [dim]) is None:
                return layers.tie_across(self.uses, joined, dim, "side by side in one tensor")
        return joined

    def _gated(self, x: Tensor, dim: int | None) -> Tensor:
        """One half times the sigmoid of the other."""
        half, gate = x.chunk(2, -1 if dim is None else dim)
        self.labels.join(half, gate, "gated by its other half")
        return half

    def _pixel_shuffle(self, function: Operation, *args: GraphValue, **kwargs: GraphValue) -> Tensor:
        shuffled: Tensor = function(args[0].contiguous(), *args[1:], **kwargs)
        corner = shuffled[..., :1, :1]
        self.labels.join(corner, shuffled, "pixel shuffle: one channel's pixels come from several")
        return corner.expand(shuffled.shape)

    def _binary(self, a: object, b: object, reason: str) -> GraphValue:
        if isinstance(b, Tensor) and isinstance(a, Tensor):
            if not _is_labels(a):
                a, b = b, a
            if not _is_labels(b):
                self.uses.constant(a, b)
                return _broadcast(a, b)
            for one, other in ((a, b), (b, a)):
                if _repeats_over(one, other):
                    self.labels.freeze(one, f"{reason} with every channel")
                    return _broadcast(other, one)
            self.labels.join(a, b, reason)
            return _broadcast(a, b)
        return a if isinstance(a, Tensor) else b

    def _spatial(self, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        x = args[0]
        shape = function(self._zeros(x), *args[1:], **kwargs).shape
        vector = constant_along(x, list(range(2, x.dim())))
        if vector is None:
            self.labels.freeze(x, "pooled over different channels")
            return torch.full(shape, FROZEN)
        return vector.reshape(*vector.shape, *[1] * (len(shape) - 2)).expand(shape)

    def _reduction(self, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        x = args[0]
        shape = function(self._zeros(x), *args[1:], **kwargs).shape
        dims = _given(args, kwargs, ("dim", 1))[0]
        dims = list(range(x.dim())) if dims is None else ([dims] if isinstance(dims, int) else list(dims))
        vector = constant_along(x, dims)
        if vector is None:
            self.labels.freeze(x, "averaged over all its channels")
            return torch.full(shape, FROZEN)
        return vector.reshape(shape)

    def _pad(self, args: CallArguments, kwargs: NamedArguments) -> Tensor:
        """New channels get labels of their own: what they are added to decides whether they go."""
        x: Tensor = args[0]
        pad = _given(args, kwargs, ("pad", 1))[0]
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

    def _softmax(self, args: CallArguments, kwargs: NamedArguments) -> Tensor:
        x: Tensor = args[0]
        dim = _given(args, kwargs, ("dim", 1))[0]
        if constant_along(x, [-1 if dim is None else dim]) is None:
            self.labels.freeze(x, "softmax mixes all its channels")
        return x

    def _mixes(self, function: Operation, args: CallArguments, kwargs: NamedArguments, reason: str) -> GraphValue:
        """Whatever is not known to keep channels apart freezes everything that goes in."""
        for value in _tensors((args, kwargs)):
            if _is_labels(value):
                self.labels.freeze(value, reason)
        zeros = fx.node.map_aggregate((args, kwargs), self._zeros)
        result = function(*zeros[0], **zeros[1])  # type: ignore[index, misc]
        return fx.node.map_aggregate(result, lambda v: torch.full(v.shape, FROZEN) if isinstance(v, Tensor) else v)

    def _zeros(self, value: GraphValue) -> GraphValue:
        """Numbers in the shape of labels, of the type that the network computes in; all else as it is."""
        return torch.zeros(value.shape, dtype=self._dtype) if _is_labels(value) else value


def _given(args: CallArguments, kwargs: NamedArguments, *arguments: tuple[str, int]) -> CallArguments:
    """Arguments by name or by place; None where they are not given."""
    return tuple(kwargs.get(name, args[place] if len(args) > place else None) for name, place in arguments)


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


def _is_labels(value: object) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.int64


def _tensors(value: GraphValue) -> list[Tensor]:
    tensors: list[Tensor] = []
    fx.node.map_aggregate(value, lambda v: tensors.append(v) if isinstance(v, Tensor) else None)
    return tensors
