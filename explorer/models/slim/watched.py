"""A slim model run step by step, with a look at what goes into each step and what comes out of it.

Every value is looked at, because some that take no memory yet (views, pieces, Python's own numbers)
would take it later. On tensors without numbers ("meta") nothing is computed and no memory is taken:
so it is known what a batch of any size will take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from explorer.models.slim.document import MAX_WHOLE, Graph, GraphStep, refused
from explorer.models.slim.running import arguments, call, resolved
from explorer.models.slim.tensor_arguments import numbers_from_tensors
from explorer.models.slim.vocabulary import ARITHMETIC, METHODS
from explorer.text.names import clean
from explorer.types.aliases import CallArguments, GraphValue
from explorer.types.files.reading.refusal import RefusedError

MAX_BYTES = 4 * 2**30
MAX_PIECES = 20_000
_MEMORY = "running it needs more memory than a model of its size may take"
_IN_PIECES = ("chunk", "split", "unbind")


class CheckedRun:
    """Runs a network step by step, and looks at what goes into each step and what comes out."""

    def __init__(self, graph: Graph, network: nn.Module, *, on_meta: bool = False) -> None:
        self.graph = graph
        self.network = network
        self.n_bytes = 0
        self.on_meta = on_meta
        self.most_at_once = 0

    def run(self, inputs: Iterable[object]) -> GraphValue:
        """The output; RefusedError when a step does not run."""
        try:
            return self._run(iter(inputs))
        except RefusedError:
            raise
        except (MemoryError, RecursionError):
            raise refused(_MEMORY) from None
        except Exception as error:  # noqa: BLE001  torch raises anything when arguments do not fit
            first = clean((str(error).splitlines() or [type(error).__name__])[0], 120)
            if "alloc" in first or "memory" in first:
                raise refused(_MEMORY) from None
            raise refused(f"it does not run ({first.rstrip('.')})") from None

    def _run(self, given: Iterator[GraphValue]) -> GraphValue:
        values: dict[str, GraphValue] = {}
        sizes: dict[str, int] = {}
        alive = 0
        for step, done in zip(self.graph.steps, self.graph.done, strict=True):
            args, kwargs = arguments(step, values)
            if self.on_meta:
                args, kwargs = _on_meta(args), _on_meta(kwargs)
            _check_before(step, args, kwargs)
            values[step.name] = next(given) if step.op == "input" else call(self.network, step, args, kwargs)
            sizes[step.name] = self._check_after(step, values[step.name])
            alive += sizes[step.name]
            self.most_at_once = max(self.most_at_once, alive)
            for name in done:
                del values[name]
                alive -= sizes.pop(name)
        return resolved(self.graph.output, values)

    def _check_after(self, step: GraphStep, value: object) -> int:
        n_bytes = 0
        for n, leaf in enumerate(_leaves(value, step)):
            if n > MAX_PIECES:
                raise refused(f"its step {step.name!r} makes too many pieces")
            if isinstance(leaf, Tensor):
                n_bytes += leaf.numel() * leaf.element_size()
        self.n_bytes += n_bytes
        if n_bytes > MAX_BYTES:
            raise refused(f"its step {step.name!r} makes {n_bytes / 2**20:,.0f} MiB")
        return n_bytes


def _on_meta(value: object) -> GraphValue:
    """The value with the device that it names replaced by the one without numbers."""
    if isinstance(value, torch.device):
        return torch.device("meta")
    if isinstance(value, list | tuple):
        return type(value)(_on_meta(v) for v in value)
    return {key: _on_meta(v) for key, v in value.items()} if isinstance(value, dict) else value


def _check_before(step: GraphStep, args: CallArguments, kwargs: Mapping[str, object]) -> None:
    if step.target in ARITHMETIC and not _calculable(step.target, args):
        raise refused(f"its step {step.name!r} calculates with what are no numbers")
    if step.target in METHODS and not isinstance(args[0], Tensor):
        raise refused(f"its step {step.name!r} calls a method of what is no tensor")
    if step.op == "call" and numbers_from_tensors(step.target, args, kwargs):
        raise refused(f"its step {step.name!r} takes a number or a size from what a tensor holds")
    name = step.target.rpartition(".")[2]
    if name == "repeat_interleave" and not isinstance(args[1] if len(args) > 1 else kwargs.get("repeats"), int):
        raise refused(f"its step {step.name!r} repeats as often as its input says")
    sizes = [n for a in (*args, *kwargs.values()) if isinstance(a, Tensor) for n in a.shape]
    if name in _IN_PIECES and max(sizes, default=0) > MAX_PIECES:
        raise refused(f"its step {step.name!r} makes too many pieces")


def _calculable(target: str, args: CallArguments) -> bool:
    """Python's own arithmetic can fill the memory with one power, or one text times a number."""
    if any(isinstance(a, Tensor) for a in args):
        return all(isinstance(a, Tensor | int | float) for a in args)
    if target == "operator.add" and all(isinstance(a, tuple | list) for a in args):
        return sum(map(len, args)) <= 64
    return target != "operator.pow" and all(isinstance(a, int | float) for a in args)


def _leaves(value: object, step: GraphStep) -> Iterator[GraphValue]:
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
