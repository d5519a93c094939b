"""The model as ``torch.export`` writes it down: one step for each operation of torch, whatever its Python code does.

Parameters keep their names, and the operations are those of the model itself, so the numbers are the same bits.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from explorer.engine.tracers.base import NotTraceableError, Steps, TooLongError, Traced
from explorer.pruning.running import output_of
from explorer.pruning.tracer import ONE_AT_A_TIME
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, InputSet, repeated, tensors_of
from explorer.types.step_limit import StepLimit, TooMuchError

_N_SAMPLES = 3  # one or none would be taken for constants


class _Counted(TorchFunctionMode):
    """Counts the calls of torch's functions, up to the limit."""

    def __init__(self, limit: StepLimit) -> None:
        super().__init__()
        self._limit = limit

    def __torch_function__(
        self, func: Operation, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> GraphValue:
        self._limit.step()
        return func(*args, **(kwargs or {}))


class _Flat(nn.Module):
    """The model with its inputs in one tuple, and of its outputs only the one that is evaluated."""

    def __init__(self, model: nn.Module, example: Inputs) -> None:
        super().__init__()
        self.model = model
        self._names = tuple(example.named) if isinstance(example, InputSet) else ()
        self._limit = StepLimit()

    def forward(self, inputs: tuple[Tensor, ...]) -> object:
        n = len(inputs) - len(self._names)
        try:
            with self._limit.enforced(), _Counted(self._limit):
                return output_of(self.model(*inputs[:n], **dict(zip(self._names, inputs[n:], strict=True))))
        except RuntimeError as error:  # of these torch prints all that it has traced
            raise NotTraceableError(_first_line(error)) from error


def exported(shell: nn.Module, example: Inputs) -> Traced:
    """The steps of a model that does not decide by the numbers in its inputs, nor by how many samples there are."""
    steps = Steps(shell)
    try:
        program = _exported(_Flat(shell, example), tuple(tensors_of(repeated(example, _N_SAMPLES)).values()))
        graph = _graph(program, steps)
    except NotTraceableError:
        raise
    except TooMuchError as error:
        raise TooLongError(str(error)) from None
    except Exception as error:  # tracing runs the model's own code, which may raise anything
        logging.getLogger(__name__).debug("The model could not be exported.", exc_info=True)
        raise NotTraceableError(_first_line(error)) from None
    return Traced(steps, graph, "prefix cache, exported graph")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torch says of models that cannot be exported: they run in another way."""
    log = logging.getLogger("torch.fx.experimental.symbolic_shapes")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


@contextmanager
def _backends_left_alone() -> Iterator[None]:
    """While torch exports, it switches oneDNN and others off for the whole process.

    Other threads that evaluate meanwhile would get other last digits, so that switch is taken out.
    """
    from torch.export import _trace

    name = "_ignore_backend_decomps"
    switch = getattr(_trace, name, None)
    if switch is None:
        raise NotTraceableError("this version of torch exports in a way that is not known here")
    try:
        setattr(_trace, name, nullcontext)
        yield
    finally:
        setattr(_trace, name, switch)


def _exported(flat: nn.Module, inputs: tuple[Tensor, ...]) -> fx.GraphModule:
    from torch.export import Dim, export  # its compiler takes seconds to import

    free = tuple({0: Dim.DYNAMIC} for _ in inputs)
    with ONE_AT_A_TIME, _quietly(), _backends_left_alone(), torch.no_grad():
        program = export(flat, (inputs,), dynamic_shapes=(free,), strict=False)
        # Without any decomposition: only operations that write in place are replaced.
        module = program.run_decompositions({}).module(check_guards=False)
    if not isinstance(module, fx.GraphModule):
        raise NotTraceableError("it was exported as something other than a graph")
    return module


def _graph(module: fx.GraphModule, steps: Steps) -> fx.Graph:
    """The graph with the names of ``steps``; what tracing made of its own becomes one of the constants."""
    graph = fx.Graph()
    output: Any = graph.graph_copy(module.graph, {})
    while isinstance(output, tuple | list) and len(output) == 1:
        output = output[0]
    if not isinstance(output, fx.Node):
        raise NotTraceableError("it does not give one tensor")
    graph.output(output)
    for node in graph.nodes:
        if node.op == "get_attr":
            node.target = _place(str(node.target), module, steps)
        elif node.op == "call_module":
            raise NotTraceableError(f"a part of it, {node.target}, stays a graph of its own")
        elif node.op == "call_function" and getattr(getattr(node.target, "_schema", None), "is_mutable", False):
            raise NotTraceableError(f"it writes in place by {node.target}")
    return graph


def _place(target: str, module: fx.GraphModule, steps: Steps) -> str:
    value: Any = module
    for part in target.split("."):
        value = getattr(value, part)
    if not isinstance(value, Tensor):
        raise NotTraceableError(f"a part of it, {target}, stays a graph of its own")
    own: Any = steps
    for part in target.split("."):
        own = getattr(own, part, None)
    if own is value:
        return target
    name = target.replace(".", "_")
    steps.constants.register_buffer(name, value.detach(), persistent=False)
    return f"constants.{name}"
