"""A slim model tried out before anybody relies on it: in the reading process, which has little memory and time.

Whatever takes too much of either ends there. What this file adds: every value is looked at, because
some that take no memory yet (views, pieces, Python's own numbers) would take it later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.models.reader.refusal import RefusedError
from explorer.models.slim.document import MAX_WHOLE, Graph, Step, refused
from explorer.models.slim.network import arguments, build, call, resolved
from explorer.models.slim.vocabulary import ARITHMETIC, METHODS
from explorer.text.quoting import shown

MAX_BYTES = 4 * 2**30
FEW = 8
MAX_PIECES = 20_000
_MEMORY = "running it needs more memory than a model of its size may take"
_IN_PIECES = ("chunk", "split", "unbind")


def try_out(graph: Graph, tensors: Mapping[str, Tensor]) -> None:
    """Run the graph on random inputs; RefusedError when it does not run, or makes more than a model may."""
    network = build(graph, tensors)
    one, few = (_bytes_made(graph, network, n) for n in (1, FEW))
    if few > 2 * FEW * one:
        raise refused("what it computes grows faster than the number of inputs")


def example_inputs(graph: Graph, n: int = 1) -> tuple[Tensor, ...]:
    """One batch of inputs of the right shapes: standard normal, zeros where the type is whole."""
    generator = torch.Generator().manual_seed(0)
    inputs = []
    for shape, dtype in graph.inputs:
        if dtype.is_floating_point:
            inputs.append(torch.randn(n, *shape, generator=generator).to(dtype))
        else:
            inputs.append(torch.zeros(n, *shape, dtype=dtype))
    return tuple(inputs)


def _bytes_made(graph: Graph, network: nn.Module, n: int) -> int:
    """The bytes of every value that a batch of n inputs makes."""
    watched = _Watched(graph, network)
    with torch.no_grad():
        watched.run(example_inputs(graph, n))
    return watched.n_bytes


class _Watched:
    """Runs a network step by step, and looks at what goes into each step and what comes out."""

    def __init__(self, graph: Graph, network: nn.Module) -> None:
        self.graph = graph
        self.network = network
        self.n_bytes = 0

    def run(self, inputs: Iterable[Tensor]) -> Any:
        """The output; RefusedError when a step does not run."""
        try:
            return self._run(iter(inputs))
        except RefusedError:
            raise
        except (MemoryError, RecursionError):
            raise refused(_MEMORY) from None
        except Exception as error:  # noqa: BLE001  torch raises anything when arguments do not fit
            first = shown((str(error).splitlines() or [type(error).__name__])[0], 120)
            if "alloc" in first or "memory" in first:
                raise refused(_MEMORY) from None
            raise refused(f"it does not run ({first.rstrip('.')})") from None

    def _run(self, given: Iterator[Tensor]) -> Any:
        values: dict[str, Any] = {}
        for step, done in zip(self.graph.steps, self.graph.done, strict=True):
            args, kwargs = arguments(step, values)
            _check_before(step, args, kwargs)
            values[step.name] = next(given) if step.op == "input" else call(self.network, step, args, kwargs)
            self._check_after(step, values[step.name])
            for name in done:
                del values[name]
        return resolved(self.graph.output, values)

    def _check_after(self, step: Step, value: Any) -> None:
        for n, leaf in enumerate(_leaves(value, step)):
            if n > MAX_PIECES:
                raise refused(f"its step {step.name!r} makes too many pieces")
            if isinstance(leaf, Tensor):
                self.n_bytes += leaf.numel() * leaf.element_size()
        if self.n_bytes > MAX_BYTES:
            raise refused(f"its step {step.name!r} makes {self.n_bytes / 2**20:,.0f} MiB")


def _check_before(step: Step, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    if step.target in ARITHMETIC and not _calculable(step.target, args):
        raise refused(f"its step {step.name!r} calculates with what are no numbers")
    if step.target in METHODS and not isinstance(args[0], Tensor):
        raise refused(f"its step {step.name!r} calls a method of what is no tensor")
    name = step.target.rpartition(".")[2]
    if name == "repeat_interleave" and not isinstance(args[1] if len(args) > 1 else kwargs.get("repeats"), int):
        raise refused(f"its step {step.name!r} repeats as often as its input says")
    sizes = [n for a in (*args, *kwargs.values()) if isinstance(a, Tensor) for n in a.shape]
    if name in _IN_PIECES and max(sizes, default=0) > MAX_PIECES:
        raise refused(f"its step {step.name!r} makes too many pieces")


def _calculable(target: str, args: tuple[Any, ...]) -> bool:
    """Python's own arithmetic can fill the memory with one power, or one text times a number."""
    if any(isinstance(a, Tensor) for a in args):
        return all(isinstance(a, Tensor | int | float) for a in args)
    if target == "operator.add" and all(isinstance(a, tuple | list) for a in args):
        return sum(map(len, args)) <= 64
    return target != "operator.pow" and all(isinstance(a, int | float) for a in args)


def _leaves(value: Any, step: Step) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for inner in value:
            yield from _leaves(inner, step)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner, step)
    elif (
        isinstance(value, float)
        or (isinstance(value, int) and abs(value) <= MAX_WHOLE)
        or isinstance(value, Tensor | torch.dtype | torch.device | str | slice | None)
    ):
        yield value
    else:
        raise refused(f"its step {step.name!r} makes something that is no tensor or number")
