"""The model as a graph of steps, where its Python code allows it.

Each step is a leaf module, a function or a method. What cannot be traced becomes one step as a
whole: the innermost module at fault, or at worst the model. In-place operations are replaced
by ones that leave their inputs alone, because values are kept and used again.
"""

from __future__ import annotations

import inspect
import logging
import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from explorer.engine.tracers.base import NotTraceableError, Steps, TooLongError, Traced
from explorer.pruning.tracer import OwnThreadTracer
from explorer.text.names import listed
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs
from explorer.types.step_limit import StepLimit, TooMuchError

_IN_PLACE_OPERATORS: dict[Operation, Operation] = {
    operator.iadd: operator.add,
    operator.isub: operator.sub,
    operator.imul: operator.mul,
    operator.itruediv: operator.truediv,
    operator.imatmul: operator.matmul,
}


class _PieceError(Exception):
    """The module at this path (empty for the model itself) cannot be taken apart."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(reason)


class _Tracer(OwnThreadTracer):
    """Knows in which module it was when tracing failed."""

    def __init__(self, example: Inputs, pieces: set[str], limit: StepLimit) -> None:
        super().__init__(example, limit)
        self.pieces = pieces
        self.entered: list[str] = []

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self.pieces or super().is_leaf_module(m, module_qualified_name)

    def call_module(self, m: nn.Module, forward: Operation, args: CallArguments, kwargs: NamedArguments) -> GraphValue:
        if self.is_foreign:
            return forward(*args, **kwargs)
        self.entered.append(self.path_of_module(m))
        result = super().call_module(m, forward, args, kwargs)
        self.entered.pop()
        return result


def symbolic(shell: nn.Module, example: Inputs) -> Traced:
    """The steps of a model as far as its Python code can be followed; what cannot be followed stays in one piece."""
    pieces: set[str] = set()
    limit = StepLimit()
    while True:
        try:
            graph = _trace_once(shell, example, pieces, limit.again())
        except _PieceError as failure:
            if not failure.path or failure.path in pieces:
                raise NotTraceableError(str(failure)) from None
            pieces.add(failure.path)
            continue
        except TooMuchError as error:
            raise TooLongError(str(error)) from None
        for node in graph.nodes:
            if node.op in ("call_module", "get_attr"):
                node.target = f"model.{node.target}"
        names = tuple(sorted(pieces))
        path = "prefix cache" + (f" (as a whole: {listed(names, 3)})" if names else "")
        return Traced(Steps(shell), graph, path, names)


def _trace_once(shell: nn.Module, example: Inputs, pieces: set[str], limit: StepLimit) -> fx.Graph:
    tracer = _Tracer(example, pieces, limit)
    try:
        graph = tracer.trace(shell)
    except Exception as error:
        logging.getLogger(__name__).debug("The model could not be traced in full.", exc_info=True)
        path = tracer.entered[-1] if tracer.entered else ""
        reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
        raise _PieceError(path, reason) from None
    for node in list(graph.nodes):
        _without_writing(node, shell)
    return graph


def _without_writing(node: fx.Node, shell: nn.Module) -> None:
    """Make one step leave its inputs alone; refuse where it cannot be done."""
    if node.op == "call_module":
        module = shell.get_submodule(str(node.target))
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
            _later_uses(node)
    elif node.op == "call_method" and _writes(str(node.target)):
        node.target = str(node.target).rstrip("_")
        if not hasattr(torch.Tensor, node.target):
            raise _PieceError("", f"it writes in place by {node.target}_")
        _later_uses(node)
    elif node.op == "call_function":
        _function_without_writing(node)


def _function_without_writing(node: fx.Node) -> None:
    function: Any = node.target
    if function is operator.setitem or "out" in node.kwargs:
        raise _PieceError("", "it writes into a part of a tensor")
    if function in _IN_PLACE_OPERATORS:
        node.target = _IN_PLACE_OPERATORS[function]
        _later_uses(node)
    elif _writes(name := getattr(function, "__name__", "")):
        replacement = getattr(torch, name.rstrip("_"), None) or getattr(functional, name.rstrip("_"), None)
        if replacement is None:
            raise _PieceError("", f"it writes in place by {name}")
        node.target = replacement
        _later_uses(node)
    elif "inplace" in _parameters(function):
        position = list(_parameters(function)).index("inplace")
        if node.kwargs.get("inplace") or node.args[position : position + 1] == (True,):
            _later_uses(node)
        node.args = node.args[:position]
        node.kwargs = {**node.kwargs, "inplace": False}


def _later_uses(node: fx.Node) -> None:
    """Whoever used the tensor after it was written to gets the new value."""
    if not node.args or not isinstance(written := node.args[0], fx.Node):
        return
    following = set()
    later: fx.Node = node.next
    while later.op != "root":
        following.add(later)
        later = later.next
    written.replace_all_uses_with(node, delete_user_cb=lambda user: user in following)


def _writes(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _parameters(function: Any) -> dict[str, Any]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # built-in functions have no signature
        return {}
