"""Tracing by torch.fx while other threads use modules of their own, with the shapes of an example at hand."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx._symbolic_trace import _wrapped_fns_to_patch

from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, InputSet, joined, tensors_of
from explorer.types.step_limit import StepLimit

ONE_AT_A_TIME = threading.Lock()
_OF_SHAPE = {"dim", "size", "numel", "nelement", "ndimension", "is_floating_point", "element_size", "__len__"}
_ATTRIBUTES = {"shape", "ndim", "dtype", "device", "is_cuda", "layout", "requires_grad"}
_FIXED = {"dtype", "ndim"}
_CONSTANTS = {"new_zeros", "new_ones", "new_full", "new_tensor"}
_SIZES = (2, 3)  # samples of the two examples whose shapes are compared


class OwnThreadTracer(fx.Tracer):
    """A tracer that takes down what its own thread does, and nothing else.

    torch.fx patches ``nn.Module`` for all threads while it traces: calls from other threads pass
    through untouched, and a second tracer waits for the first.

    The traced code may ask for the shapes that follow from the ``example``: ``if x.dim() == 4``,
    ``assert x.shape[1] == 3``, ``(*x.shape[:-1], 8)``. The number of samples stays open: whatever it decides
    cannot be traced, and neither can what the numbers in a tensor decide.
    """

    def __init__(
        self, example: Inputs, limit: StepLimit | None = None, *, fixed_sizes: bool = False, opaque: bool = False
    ) -> None:
        """``fixed_sizes``: sizes other than the number of samples become numbers, and what is made of them constants.

        ``opaque``: functions that a library keeps from being traced stay one step each.
        """
        super().__init__()
        self._limit = limit or StepLimit()
        self._fixed_sizes = fixed_sizes
        self._opaque = opaque
        self._thread = threading.get_ident()
        self._example = example
        self._shapes: _Shapes | None = None

    @property
    def is_foreign(self) -> bool:
        """Whether this is asked by another thread than the one that traces, or to learn a shape."""
        return threading.get_ident() != self._thread or (self._shapes is not None and self._shapes.running)

    def trace(self, root: Any, concrete_args: NamedArguments | None = None) -> fx.Graph:
        """The graph of ``root``; raises what its code raises when it is given no real numbers, and TooMuchError."""
        with ONE_AT_A_TIME:
            self._thread = threading.get_ident()
            self._shapes = _Shapes(root, self._example)
            wrapped = dict(_wrapped_fns_to_patch)
            try:
                if not self._opaque:
                    _wrapped_fns_to_patch.clear()
                with self._limit.enforced():
                    return super().trace(root, concrete_args)
            finally:
                self._shapes = None
                _wrapped_fns_to_patch.update(wrapped)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether a module is one step: a layer of torch, or one that says of itself that it cannot be looked into."""
        return getattr(m, "one_step", False) is True or super().is_leaf_module(m, module_qualified_name)

    def create_args_for_root(
        self, root_fn: Operation, is_module: bool, concrete_args: object = None
    ) -> tuple[Operation, list[GraphValue]]:
        """One placeholder for each input of the example; everything else that forward takes has its default."""
        keys = list(tensors_of(self._example))
        proxies = [self.create_proxy("placeholder", key if key.isidentifier() else f"x{key}", (), {}) for key in keys]
        n_named = len(self._example.named) if isinstance(self._example, InputSet) else 0
        first_named = len(keys) - n_named

        def forward(root: nn.Module, *values: GraphValue) -> GraphValue:
            named = dict(zip(keys[first_named:], values[first_named:], strict=True))
            return _graph_part(root_fn(root, *values[:first_named], **named))

        forward.__annotations__ = {}  # fx writes what forward returns into the graph's code
        return forward, [self.root, *proxies]

    def call_module(self, m: nn.Module, forward: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        """One step, or what the module computes where another thread calls it, or where it was made on the way."""
        is_inside = not self.is_foreign and m in (self.submodule_paths or {})
        return super().call_module(m, forward, args, kwargs) if is_inside else forward(*args, **kwargs)

    def getattr(self, attr: str, attr_val: object, parameter_proxy_cache: dict[str, Any]) -> GraphValue:
        """A step that reads a parameter, or its value where another thread reads it."""
        return attr_val if self.is_foreign else super().getattr(attr, attr_val, parameter_proxy_cache)

    def create_proxy(
        self,
        kind: str,
        target: GraphValue,
        args: CallArguments,
        kwargs: NamedArguments,
        *rest: GraphValue,
        **options: GraphValue,
    ) -> GraphValue:
        """A step; with fixed sizes the number or the constant that follows from the example's shapes."""
        self._limit.step()
        proxy = super().create_proxy(kind, target, args, kwargs, *rest, **options)
        if not self._fixed_sizes or self._shapes is None or self._shapes.running:
            return proxy
        if kind == "call_method" and target in _CONSTANTS and not _has_proxies(args[1:], kwargs):
            return self._shapes.value(proxy.node)
        if kind in ("call_function", "call_method") and self._decides(proxy.node):
            value = self._shapes.value(proxy.node)
            return value if isinstance(value, int | float) else proxy
        return proxy

    # -- what the example tells ------------------------------------------------------------------

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """A value that knows its length and its whole number where they follow from the example's shapes."""
        return _Value(node, self)

    def to_bool(self, obj: fx.Proxy) -> bool:
        """What a condition comes to, where shapes alone decide it."""
        return bool(self.decided(obj.node)) if self._decides(obj.node) else super().to_bool(obj)

    def iter(self, obj: fx.Proxy) -> Iterator[GraphValue]:
        """One value for each dimension of a shape."""
        if self._shapes is not None and (n := self._shapes.length(obj.node)) is not None:
            return iter([obj[place] for place in range(n)])  # type: ignore[index]
        proxies: Iterator[GraphValue] = super().iter(obj)
        return proxies

    def decided(self, node: fx.Node) -> GraphValue:
        """The value that follows from shapes; raises TraceError where it does not."""
        if self._shapes is None or not self._decides(node):
            raise fx.proxy.TraceError("a number that the samples decide is used as a number of the code")
        return self._shapes.value(node)

    def fixed_attribute(self, node: fx.Node, name: str) -> GraphValue:
        """A tensor's type or number of dimensions, where sizes are fixed: ``torch.finfo`` takes no step of a graph."""
        if not self._fixed_sizes or self._shapes is None or self._shapes.running:
            return None
        return self._shapes.attribute(node, name)

    def length(self, node: fx.Node) -> int:
        """How many values there are; raises TraceError where shapes do not tell."""
        n = None if self._shapes is None else self._shapes.length(node)
        if n is None:
            raise fx.proxy.TraceError("the length of a value is not known before it runs")
        return n

    def _decides(self, node: fx.Node) -> bool:
        return self._shapes is not None and self._shapes.decides(node)


class _Value(fx.Proxy):
    tracer: OwnThreadTracer

    def __getattr__(self, k: str) -> GraphValue:
        value = self.tracer.fixed_attribute(self.node, k) if k in _FIXED else None
        return super().__getattr__(k) if value is None else value

    def __len__(self) -> int:
        return self.tracer.length(self.node)

    def __index__(self) -> int:
        return operator.index(self.tracer.decided(self.node))

    def __int__(self) -> int:
        return int(self.tracer.decided(self.node))

    def __float__(self) -> float:
        return float(self.tracer.decided(self.node))


class _Shapes:
    """The values of steps for two examples that differ in nothing but the number of samples, made when asked for."""

    def __init__(self, root: nn.Module, example: Inputs) -> None:
        self.running = False
        self._root = root
        self._examples = [list(tensors_of(joined([example[:1]] * n)).values()) for n in _SIZES]
        self._values: dict[fx.Node, tuple[GraphValue, GraphValue]] = {}

    def decides(self, node: fx.Node) -> bool:
        """Whether the step is made from shapes alone, and the number of samples plays no part in it."""
        return self._of_shapes(node) and not self._of_batch(node)

    def value(self, node: fx.Node) -> GraphValue:
        """The step's value for the first example."""
        return self._both(node)[0]

    def attribute(self, node: fx.Node, name: str) -> GraphValue:
        """An attribute of a tensor; None for what is no tensor."""
        one = self._both(node)[0]
        return getattr(one, name) if isinstance(one, Tensor) else None

    def length(self, node: fx.Node) -> int | None:
        """How many values a shape (or a part of one) has; None for what is no shape."""
        if not self._of_shapes(node):
            return None
        one, other = self._both(node)
        return len(one) if isinstance(one, tuple | list) and len(one) == len(other) else None

    def _of_shapes(self, node: fx.Node) -> bool:
        if _asks_shape(node):
            return True
        if node.op != "call_function" or not node.all_input_nodes:
            return False
        return all(map(self._of_shapes, node.all_input_nodes)) and not _has_tensors(self._both(node))

    def _of_batch(self, node: fx.Node) -> bool:
        one, other = self._both(node)
        if one != other:
            return True
        # A part of a shape is that number alone, whatever the other numbers are.
        if _asks_shape(node) or node.target is operator.getitem:
            return False
        return any(map(self._of_batch, node.all_input_nodes))

    def _both(self, node: fx.Node) -> tuple[GraphValue, GraphValue]:
        if node not in self._values:
            was, self.running = self.running, True
            try:
                with torch.no_grad():
                    self._run_up_to(node)
            finally:
                self.running = was
        return self._values[node]

    def _run_up_to(self, last: fx.Node) -> None:
        needed, queue = set(), [last]
        while queue:
            node = queue.pop()
            if node not in needed and node not in self._values:
                needed.add(node)
                queue += node.all_input_nodes
        places = {n: place for place, n in enumerate(n for n in last.graph.nodes if n.op == "placeholder")}
        for node in last.graph.nodes:
            if node in needed:
                one, other = (self._run(node, which, places) for which in (0, 1))
                self._values[node] = one, other

    def _run(self, node: fx.Node, which: int, places: dict[fx.Node, int]) -> GraphValue:
        if node.op == "placeholder":
            return self._examples[which][places[node]].clone()
        if node.op == "get_attr":
            return operator.attrgetter(str(node.target))(self._root)
        args: GraphValue = fx.node.map_arg(node.args, lambda n: self._values[n][which])
        kwargs: GraphValue = fx.node.map_arg(node.kwargs, lambda n: self._values[n][which])
        if node.op == "call_module":
            return self._root.get_submodule(str(node.target))(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        function: GraphValue = node.target
        return function(*args, **kwargs)


def _graph_part(returned: GraphValue) -> GraphValue:
    """What a network returns without the objects that no graph can hold, such as the cache of a language model."""
    if not isinstance(returned, dict):
        return returned
    return {
        name: value
        for name, value in returned.items()
        if value is None or isinstance(value, fx.Proxy | Tensor | tuple | list | dict | int | float)
    }


def _has_proxies(*values: GraphValue) -> bool:
    proxies: list[GraphValue] = []
    for value in values:
        fx.node.map_aggregate(value, lambda v: proxies.append(v) if isinstance(v, fx.Proxy) else None)
    return bool(proxies)


def _asks_shape(node: fx.Node) -> bool:
    if node.op == "call_method":
        return node.target in _OF_SHAPE
    return node.target is getattr and node.args[1] in _ATTRIBUTES


def _has_tensors(values: object) -> bool:
    if isinstance(values, tuple | list):
        return any(map(_has_tensors, values))
    return isinstance(values, Tensor)
