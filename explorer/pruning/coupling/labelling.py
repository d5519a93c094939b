"""The walk over the traced network that hands channel labels from operation to operation."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.pruning.coupling.labels import Labels
from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.vanishing import Vanishing
from explorer.pruning.coupling.views import broadcast, distinct, frozen, is_labels, shrunk, varying
from explorer.pruning.operators import layers, meeting, norms, places, products, recurrent
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, tensors_of
from explorer.types.operators import Rule, layer_classes, rule_of
from explorer.types.stopping import check
from explorer.types.tensors import tensors_in

_MOVING = {Rule.MOVE, Rule.JOIN, Rule.PAD}
_CUT_BY_NUMBER = _MOVING | {Rule.LAYER_NORM, Rule.RMS_NORM, Rule.GROUP_NORM, Rule.REDUCTION}
_OF_ONE = {Rule.MOVE, Rule.UNARY, Rule.SUM, Rule.PRODUCT}
_GRID = "reshaped into a grid whose rows shrink alike"
_SUMS = {"mean", "sum", "norm"}


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
        self._of_parameters: dict[str, tuple[GraphValue, GraphValue]] = {}
        self._node = next(iter(graph.graph.nodes))
        self._vanishes = Vanishing(graph)
        self._dtype = next((p.dtype for p in graph.parameters() if p.is_floating_point()), torch.float32)

    def label(self, example: Inputs) -> None:
        with torch.no_grad():
            result = self.run(*(frozen(x.shape) for x in tensors_of(example).values()))
        for value in filter(is_labels, tensors_in(result)):
            self.labels.freeze(value, "the network's output: one channel for each class or value")
        for name, numbers in self._of_parameters.items():
            given, made = (fx.node.map_aggregate(value, self.uses.cut_with) for value in numbers)
            if any(map(is_labels, tensors_in((given, made)))):
                self.shaped[name] = given, made
        while self._tie_grids():
            pass

    def _tie_grids(self) -> bool:
        """Every tensor must stay a full grid: where channels stand on two of its dimensions, tie one of them."""
        before = self.labels.n_apart
        for _, result in self.shaped.values():
            check()
            for x in filter(is_labels, tensors_in(result)):
                roots = self.labels.roots(x)
                while len(dims := varying(roots)) > 1:
                    self.labels.join(roots.narrow(dims[0], 0, 1), roots, _GRID)
                    roots = self.labels.roots(x)
        return self.labels.n_apart < before

    # -- the kinds of node -------------------------------------------------------------------

    def run_node(self, n: fx.Node) -> GraphValue:
        check()
        self._node = n
        result = _each(super().run_node(n), lambda v: shrunk(v) if is_labels(v) else v)
        if n.op != "call_module" and n.name not in self.shaped and n.args:
            cuts = n.op in ("call_function", "call_method") and rule_of(n.target) in _CUT_BY_NUMBER
            first = self.fetch_args_kwargs_from_env(n)[0][0] if cuts else None
            if cuts and any(map(is_labels, tensors_in((first, result)))):
                self.shaped[n.name] = (first, result)
        return result

    def get_attr(self, target: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        return _no_labels(super().get_attr(target, args, kwargs))

    def call_module(self, target: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        module = self.fetch_attr(target)
        reason = f"{type(module).__name__} mixes all its channels"
        x = args[0] if args else None
        if not isinstance(x, Tensor) or (kwargs and not isinstance(module, recurrent.LAYERS)):
            return self._mixes(module, args, kwargs, reason)
        x = x if is_labels(x) else self.uses.data(x)
        args = (x, *args[1:])
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
            return rule(self.uses, layers.Conv.of(module), x)
        if isinstance(module, nn.Linear):
            return layers.linear(self.uses, module.weight, module.bias, x)
        if isinstance(module, layers.PER_CHANNEL):
            return layers.per_channel(self.uses, module, x)
        if isinstance(module, nn.PReLU):
            return x if module.weight.numel() == 1 else layers.per_channel(self.uses, module, x)
        if isinstance(module, nn.Embedding):
            return layers.embedding(self.uses, module.weight, x)
        return self._norm_layer(module, x)

    def _norm_layer(self, module: object, x: Tensor) -> GraphValue:
        if isinstance(module, nn.GroupNorm):
            return self._group_norm(module.num_groups, module.weight, module.bias, x)
        if isinstance(module, nn.LayerNorm | nn.RMSNorm) and len(module.normalized_shape) == 1:
            return self._over_last(module.weight, getattr(module, "bias", None), x)
        return None

    def _plain_module(self, module: Any, args: CallArguments, kwargs: NamedArguments, reason: str) -> GraphValue:
        x = args[0]
        if isinstance(module, layer_classes(Rule.UNARY)):
            return x
        if isinstance(module, layers.PER_CHANNEL) and module.weight is None:
            return layers.per_channel(self.uses, module, x)
        if isinstance(module, layer_classes(Rule.SPATIAL)):
            return places.spatial(self.uses, x, self._shape(module, *args, **kwargs))
        if isinstance(module, nn.Flatten | nn.Unflatten):
            self.shaped[self._node.name] = (x, reshaped := shrunk(module(x)))
            return reshaped
        if isinstance(module, nn.GLU):
            return meeting.gated(self.uses, x, module.dim)
        if isinstance(module, nn.PixelShuffle):
            return meeting.pixel_shuffle(self.uses, module, x)
        if isinstance(module, nn.ChannelShuffle):
            vector = layers.channels(self.uses, x, 1, "a channel shuffle")
            by_group = vector.reshape(module.groups, -1)
            self.labels.join(by_group[:1], by_group, "channel shuffle: all groups shrink alike")
            return module(x.contiguous())
        normalised = self._norm_layer(module, x)
        return self._mixes(module, args, kwargs, reason) if normalised is None else normalised

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
        rule = rule_of(key)
        if not any(map(is_labels, tensors_in((args, kwargs)))):
            return self._on_numbers(key, rule, function, args, kwargs)
        if rule is Rule.JOIN:
            dim = _given(args, kwargs, ("dim", 1))[0] or 0
            return meeting.joined(self.uses, args[0], int(dim), stacked=name == "stack")
        if rule is Rule.MOVE:
            return self._moved(key, function, args, kwargs)
        if rule is Rule.SUM:
            return meeting.binary(self.uses, args[0], args[1], "added together")
        if rule is Rule.PRODUCT:
            return meeting.binary(self.uses, args[0], args[1], "multiplied together")
        if rule is Rule.UNARY and is_labels(args[0]):
            return args[0]
        result = self._with_weights(rule, function, args, kwargs)
        result = self._other(rule, function, args, kwargs) if result is None else result
        return self._mixes(function, args, kwargs, f"{name} mixes all its channels") if result is None else result

    def _moved(self, key: GraphValue, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        if key is getattr and args[1] == "dtype":
            return self._dtype
        moved = function(*args, **kwargs)
        if isinstance(moved, Tensor) and not is_labels(moved):
            return args[0]  # another type of number
        parts = args[1] if key is operator.getitem and isinstance(args[1], tuple) else args[1:2]
        odd = [
            part for part in parts if isinstance(part, Tensor | list) or getattr(part, "step", None) not in (None, 1)
        ]
        if key is operator.getitem and odd and is_labels(moved):
            # Where only places are picked, all channels are still there.
            left, before = (self.labels.same(distinct(x)).unique() for x in (moved, args[0]))  # type: ignore[no-untyped-call]
            if len(left) < len(before):
                self.labels.freeze(args[0], "single channels are picked by number")
        return moved

    def _on_numbers(
        self, key: GraphValue, rule: Rule | None, function: Operation, args: CallArguments, kwargs: NamedArguments
    ) -> GraphValue:
        """An operation on weights and constants; a slice of a weight is still that weight's."""
        result = _each(function(*args, **kwargs), _no_labels)
        if rule in _OF_ONE and args and isinstance(args[0], Tensor):
            others = [value for value in tensors_in((args[1:], kwargs)) if rule in (Rule.SUM, Rule.PRODUCT)]
            if not others:
                moves = rule is Rule.MOVE
                self.uses.derive(result, function if moves else lambda x, *_, **__: x, args, kwargs)
                self._of_parameters[self._node.name] = args[0], result
        is_own = key is operator.getitem and isinstance(args[0], Tensor) and id(args[0]) in self.uses.names
        if is_own and isinstance(args[1], slice) and args[1].step is None:
            self.shaped[self._node.name] = self.uses.slice_of(args[0], args[1], result)
        return result

    def _with_weights(
        self, rule: Rule | None, function: Operation, args: CallArguments, kwargs: NamedArguments
    ) -> GraphValue:
        """Functions that are handed their weights."""
        x, (weight, bias) = args[0], _given(args, kwargs, ("weight", 1), ("bias", 2))
        if rule is Rule.MATRIX_PRODUCT and self.uses.knows(args[1]) and args[1].dim() == 2:
            return layers.matrix(self.uses, args[1], x) if is_labels(x) else None
        if rule is Rule.MATRIX_SUM and is_labels(args[1]) and all(map(self.uses.knows, (args[0], args[2]))):
            rows = layers.matrix(self.uses, args[2], args[1])
            return meeting.binary(self.uses, rows, args[0], "added together")
        if not is_labels(x) or not self.uses.knows(weight):
            return None
        if rule is Rule.EMBEDDING:
            return layers.embedding(self.uses, weight, x)
        if not (bias is None or self.uses.knows(bias) or self.uses.is_derived(bias)):
            return None
        if rule is Rule.LINEAR:
            return layers.linear(self.uses, weight, bias, x)
        if rule is Rule.CONVOLUTION:
            groups = _given(args, kwargs, ("groups", 6))[0] or 1
            rest = dict(zip(("stride", "padding", "dilation", "groups"), args[3:], strict=False)) | kwargs
            rest = {name: value for name, value in rest.items() if name not in ("input", "weight", "bias")}
            if groups == 1 or groups < x.shape[-weight.dim() + 1]:
                call = layers.Conv(weight, bias, groups, lambda x, w: function(x, w, None, **rest))
                return layers.conv(self.uses, call, x)
        return None

    def _other(self, rule: Rule | None, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        if rule is Rule.SPATIAL:
            return places.spatial(self.uses, args[0], self._shape(function, *args, **kwargs))
        if rule is Rule.REDUCTION:
            return self._reduction(function, args, kwargs)
        if rule is Rule.PAD:
            return places.padded(self.uses, args[0], _given(args, kwargs, ("pad", 1))[0])
        if rule is Rule.SOFTMAX:
            dim = _given(args, kwargs, ("dim", 1))[0]
            return places.softmax(self.uses, args[0], -1 if dim is None else dim)
        if rule is Rule.MASKED_FILL and is_labels(args[0]):
            return broadcast(args[0], args[1].shape)
        if rule is Rule.GATED:
            return meeting.gated(self.uses, args[0], *_given(args, kwargs, ("dim", 1)))
        if rule is Rule.PIXEL_SHUFFLE:
            return meeting.pixel_shuffle(self.uses, function, *args, **kwargs)
        if rule is Rule.PRODUCT_SUM:
            return self._product_sum(args)
        normalised = self._normalised(rule, args, kwargs)
        return self._product(rule, args, kwargs) if normalised is None else normalised

    def _normalised(self, rule: Rule | None, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """Normalisation with its weights handed in."""
        x, (weight, bias) = args[0], _given(args, kwargs, ("weight", 2), ("bias", 3))
        if rule in (Rule.LAYER_NORM, Rule.RMS_NORM) and len(_given(args, kwargs, ("normalized_shape", 1))[0]) == 1:
            return self._over_last(weight, bias, x)
        if rule is Rule.GROUP_NORM:
            return self._group_norm(_given(args, kwargs, ("num_groups", 1))[0], weight, bias, x)
        if rule is Rule.BATCH_NORM:
            names = ("running_mean", "running_var", "weight", "bias")
            return layers.each_channel(self.uses, _given(args, kwargs, *((n, i + 1) for i, n in enumerate(names))), x)
        if rule is Rule.PRELU:
            slopes = _given(args, kwargs, ("weight", 1))[0]
            return x if slopes.numel() == 1 else layers.each_channel(self.uses, (slopes,), x)
        if rule is Rule.LENGTH:
            dim = _given(args, kwargs, ("dim", 2))[0]
            return self._zero_when_gone(x, [1 if dim is None else dim], "the length over all channels")
        return None

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

    def _over_last(self, weight: Tensor | None, bias: Tensor | None, x: Tensor) -> GraphValue:
        if self._zero_when_gone(x, [-1], "layer normalisation over channels that are not zero when they go") is None:
            return None
        normalised = norms.over_last(self.uses, weight, bias, x)
        self.shaped[self._node.name] = (x, normalised)
        return normalised

    def _group_norm(self, n_groups: int, weight: Tensor | None, bias: Tensor | None, x: Tensor) -> Tensor:
        if n_groups == 1:
            self._zero_when_gone(x, list(range(1, x.dim())), "GroupNorm with one group mixes all its channels")
        normalised = norms.in_groups(self.uses, n_groups, weight, bias, x)
        self.shaped[self._node.name] = (x, normalised)
        return normalised

    def _zero_when_gone(self, x: Tensor, dims: list[int], reason: str) -> Tensor:
        """The labels, frozen where a sum along ``dims`` would change with channels that go."""
        inside = {d % x.dim() for d in dims}
        if inside & set(varying(x)) and not self._vanishes(self._node.all_input_nodes[0]):
            self.labels.freeze(x, reason)
        return x

    def _reduction(self, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        x, name = args[0], str(getattr(self._node.target, "__name__", self._node.target))
        dims = _given(args, kwargs, ("dim", 2 if name == "norm" else 1))[0]
        dims = list(range(x.dim())) if dims is None else ([dims] if isinstance(dims, int) else list(dims))
        sums = name in _SUMS and self._vanishes(self._node.all_input_nodes[0])
        return places.reduction(self.uses, x, dims, self._shape(function, *args, **kwargs), sums=sums)

    def _product_sum(self, args: CallArguments) -> GraphValue:
        added, one, other = args[:3]
        if is_labels(one) or is_labels(other):
            product = meeting.binary(self.uses, one, other, "multiplied together")
            return meeting.binary(self.uses, added, product, "added together")
        return meeting.binary(self.uses, meeting.binary(self.uses, added, one, ""), other, "")

    def _recurrent(self, module: Any, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        refusal = recurrent.why_not(module)
        if refusal is not None:
            return self._mixes(module, args, kwargs, refusal.reason)
        states = list(tensors_in(_given(args, kwargs, ("hx", 1))))
        if states and not any(is_labels(state) or bool(state.any()) for state in states):
            self.from_zero.add(self._node.name)
        return recurrent.recurrent(self.uses, module, args[0], states)

    def _attention(self, args: CallArguments, kwargs: NamedArguments) -> Tensor:
        q, k, v = (products.labels_of(x) for x in args[:3])
        mask = _given(args, kwargs, ("attn_mask", 3))[0]
        out = products.attention(self.uses, q, k, v, grouped=bool(kwargs.get("enable_gqa")))
        if isinstance(mask, Tensor):
            if is_labels(mask):
                self.labels.freeze(mask, "a mask over an attention")
            else:
                self.uses.constant(out[..., :1].expand(*out.shape[:-1], k.shape[-2]), mask)
        return out

    def _mixes(self, function: Operation, args: CallArguments, kwargs: NamedArguments, reason: str) -> GraphValue:
        """Whatever is not known to keep channels apart freezes everything that goes in."""
        for value in filter(is_labels, tensors_in((args, kwargs))):
            self.labels.freeze(value, reason)
        result = self._on_any_zeros(function, args, kwargs)
        return fx.node.map_aggregate(result, lambda v: frozen(v.shape) if isinstance(v, Tensor) else v)

    def _on_any_zeros(self, function: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """The result on zeros of the first type that it takes: some take whole numbers alone, some conditions."""
        for dtype in (self._dtype, torch.int64):
            try:
                return self._on_zeros(function, args, kwargs, dtype)
            except (RuntimeError, IndexError, TypeError):
                continue
        return self._on_zeros(function, args, kwargs, torch.bool)

    def _on_zeros(
        self, function: Operation, args: CallArguments, kwargs: NamedArguments, dtype: torch.dtype
    ) -> GraphValue:
        def on_zeros(value: GraphValue) -> GraphValue:
            return torch.zeros(value.shape, dtype=dtype) if is_labels(value) else value

        zeros = fx.node.map_aggregate((args, kwargs), on_zeros)
        return function(*zeros[0], **zeros[1])  # type: ignore[index, misc]

    def _shape(self, function: Operation, *args: GraphValue, **kwargs: GraphValue) -> torch.Size:
        """The shape of what a function without weights makes, without computing it."""
        empty = fx.node.map_aggregate((args, kwargs), self._empty)
        result: Tensor = function(*empty[0], **empty[1])  # type: ignore[index, misc]
        return result.shape

    def _empty(self, value: GraphValue) -> GraphValue:
        return torch.empty(value.shape, dtype=self._dtype, device="meta") if isinstance(value, Tensor) else value


def _given(args: CallArguments, kwargs: NamedArguments, *arguments: tuple[str, int]) -> CallArguments:
    """Arguments by name or by place; None where they are not given."""
    return tuple(kwargs.get(name, args[place] if len(args) > place else None) for name, place in arguments)


def _each(value: GraphValue, change: Operation) -> GraphValue:
    """The value with every tensor in it changed; a shape stays a shape."""
    return value if isinstance(value, torch.Size) else fx.node.map_aggregate(value, change)


def _no_labels(value: GraphValue) -> GraphValue:
    """Whole numbers of the network's own in a type that labels do not have."""
    return value.long() if is_labels(value) else value
