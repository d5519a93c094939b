"""The model as a chain of blocks, whatever its Python code does between them.

The longest ``nn.ModuleList`` or ``nn.Sequential`` is the chain; the modules beside it and around it are blocks as
well. A stretch of the chain is the model itself, run up to one block's end: blocks before it give what they gave
earlier instead of computing. So the code between blocks runs each time, and nothing about it has to be known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_leaves, tree_map_only

from explorer.engine.tracers.base import NotTraceableError, Steps, TooLongError, Traced, placeholders
from explorer.engine.tracers.reads import parameters_read
from explorer.types.aliases import CallArguments, GraphValue, NamedArguments, Operation
from explorer.types.inputs import Inputs, call, repeated
from explorer.types.step_limit import StepLimit, TooMuchError

_FEWEST = 2  # blocks
_NO_VALUE = "no value: these samples take another way through the blocks"


class _Stop(BaseException):
    """A block has given what the stretch is for. No Exception: the model's own code must not catch it."""

    def __init__(self, value: GraphValue) -> None:
        super().__init__()
        self.value = value


class _ReadError(BaseException):
    """The code looked at what this block gave, which is not there."""

    def __init__(self, block: int) -> None:
        super().__init__()
        self.block = block


class _Gone:
    """In place of what a block gave, where nobody but blocks that do not run is to look at it."""

    def __init__(self, block: int) -> None:
        self.block = block

    def _refuse(self, *_args: object, **_named: object) -> NoReturn:
        raise _ReadError(self.block)

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse()

    @classmethod
    def __torch_function__(
        cls, func: object, types: object, args: CallArguments = (), kwargs: NamedArguments | None = None
    ) -> NoReturn:
        gone = next(iter(_gone_in((args, kwargs))))
        raise _ReadError(gone.block)

    __bool__ = __len__ = __iter__ = __getitem__ = __eq__ = __ne__ = __hash__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = _refuse
    __truediv__ = __rtruediv__ = __neg__ = __lt__ = __gt__ = __le__ = __ge__ = __pow__ = _refuse


def _gone_in(value: object) -> Iterator[_Gone]:
    if isinstance(value, _Gone):
        yield value
    elif isinstance(value, dict):
        yield from _gone_in(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _gone_in(inner)


class _OtherWayError(BaseException):
    """The blocks are called in another order than they were for the first samples."""


@dataclass(frozen=True)
class _Way:
    """How a model goes through its blocks: the ``paths`` of all of them, and those of its ``calls`` in their order."""

    paths: tuple[str, ...]
    calls: tuple[str, ...]


class Stretch(nn.Module):
    """The model up to the end of its ``last``-th call of a block; to its own end where there are no more.

    ``given``: for which of the earlier calls forward is handed what they gave. ``uses``: the names of the parameters
    that it depends on.
    """

    def __init__(self, model: nn.Module, way: _Way, last: int, given: Sequence[int], uses: frozenset[str]) -> None:
        super().__init__()
        self.model = model
        self.way, self.last, self.given, self.uses = way, last, tuple(given), uses

    @property
    def is_final(self) -> bool:
        """Whether it goes to the end of the model."""
        return self.last == len(self.way.calls)

    def forward(self, *values: GraphValue, **named: GraphValue) -> GraphValue:
        """What the last block gives, or the model; the first values are those of the earlier calls.

        Where the samples take another way through the blocks, no stretch but the final one has a value,
        and that one runs the model as it is.
        """
        try:
            return self.along(*values, **named)
        except (_OtherWayError, _ReadError):
            return self.model(*values[len(self.given) :], **named) if self.is_final else _NO_VALUE

    def along(self, *values: GraphValue, **named: GraphValue) -> GraphValue:
        """The same where the samples go the known way; raises where they do not, or where a value is missing."""
        n = len(self.given)
        player = _Player(self, dict(zip(self.given, values[:n], strict=True)))
        try:
            if any(value is _NO_VALUE for value in player.earlier.values()):
                raise _OtherWayError
            with _playing(self.model, self.way.paths, player):
                output = self.model(*_cloned(values[n:]), **_cloned(named))
        except _Stop as stop:
            return stop.value
        if player.n_calls != len(self.way.calls):
            raise _OtherWayError
        return output


class _Player:
    """Answers calls of blocks in turn: earlier ones from what is given, the last one by computing."""

    def __init__(self, stretch: Stretch, earlier: Mapping[int, GraphValue]) -> None:
        self._stretch, self.earlier = stretch, earlier
        self.n_calls = 0

    def __call__(self, path: str, forward: Operation, *args: GraphValue, **named: GraphValue) -> GraphValue:
        turn, stretch = self.n_calls, self._stretch
        self.n_calls += 1
        if turn >= len(stretch.way.calls) or stretch.way.calls[turn] != path:
            raise _OtherWayError
        if turn == stretch.last:
            raise _Stop(forward(*args, **named))
        return _cloned(self.earlier[turn]) if turn in self.earlier else _Gone(turn)


def _cloned(value: GraphValue) -> GraphValue:
    """Tensors of their own: what follows may write to them, and others begin from the same values."""
    return tree_map_only(Tensor, Tensor.clone, value)


@contextmanager
def _playing(model: nn.Module, paths: Iterable[str], player: Operation) -> Iterator[None]:
    """While it lasts, ``player`` is asked in place of the blocks' own forward."""
    blocks = {id(block): (path, block) for path in paths for block in (model.get_submodule(path),)}
    before = {key: vars(block).get("forward") for key, (_, block) in blocks.items()}
    try:
        for path, block in blocks.values():
            vars(block)["forward"] = partial(player, path, block.forward)
        yield
    finally:
        for key, (_, block) in blocks.items():
            del vars(block)["forward"]
            if before[key] is not None:
                vars(block)["forward"] = before[key]


@dataclass(eq=False)
class _Recorder:
    """Notes the calls of blocks, which compute as ever, and whether one is running."""

    calls: list[str]
    n_running: int = 0

    def __call__(self, path: str, forward: Operation, *args: GraphValue, **named: GraphValue) -> GraphValue:
        if not self.n_running:
            self.calls.append(path)
        self.n_running += 1
        try:
            return forward(*args, **named)
        finally:
            self.n_running -= 1


def chain(shell: nn.Module, example: Inputs) -> Traced:
    """The stretches of a model from one block to the next."""
    place, paths = _blocks(shell)
    x = repeated(example, 2)
    recorder = _Recorder([])
    try:
        with StepLimit().enforced(), torch.no_grad(), _playing(shell, paths, recorder):
            between = parameters_read(shell, x, lambda: not recorder.n_running)
        if len(recorder.calls) < _FEWEST:
            raise NotTraceableError("its blocks are not called one by one")
        way = _Way(tuple(paths), tuple(recorder.calls))
        steps, graph = _steps(shell, way, between | _outside(shell, paths), x)
    except NotTraceableError:
        raise
    except TooMuchError as error:
        raise TooLongError(str(error)) from None
    except Exception as error:  # the model's own code runs here and may raise anything
        logging.getLogger(__name__).debug("The model could not be run block by block.", exc_info=True)
        raise NotTraceableError(f"its blocks cannot be run one by one ({type(error).__name__})") from None
    pieces = tuple(dict.fromkeys(recorder.calls))
    return Traced(steps, graph, f"block chain of {place or 'the model'} ({len(recorder.calls)} blocks)", pieces)


def _steps(shell: nn.Module, way: _Way, shared: set[str], x: Inputs) -> tuple[Steps, fx.Graph]:
    steps, graph = Steps(shell), fx.Graph()
    args, named = placeholders(graph, x)
    outputs: list[fx.Node] = []
    values: list[GraphValue] = []
    limit = StepLimit()
    every = frozenset(name for name, _ in shell.named_parameters(remove_duplicate=False))
    for last in range(len(way.calls) + 1):
        uses = _uses(shell, way.calls[last], shared) if last < len(way.calls) else every
        stretch, value = _stretch(Stretch(shell, way, last, (), uses), values, x, limit)
        steps.chain.append(stretch)
        outputs.append(graph.call_module(f"chain.{last}", (*(outputs[i] for i in stretch.given), *args), named))
        values.append(value)
    graph.output(outputs[-1])
    return steps, graph


def _stretch(bare: Stretch, values: Sequence[GraphValue], x: Inputs, limit: StepLimit) -> tuple[Stretch, GraphValue]:
    """The stretch with as few of the earlier values as it needs, and what it gives."""
    given: set[int] = set()
    while True:
        limit.step()
        stretch = Stretch(bare.model, bare.way, bare.last, sorted(given), bare.uses)
        try:
            with limit.enforced(), torch.no_grad():
                value = call(partial(stretch.along, *(values[i] for i in stretch.given)), x)
        except _ReadError as missing:
            given.add(missing.block)
            continue
        gone = {part.block for part in _gone_in(value)}
        if not gone:
            _check_plain(value, is_last=bare.is_final)
            return stretch, value
        given |= gone


def _check_plain(value: GraphValue, *, is_last: bool) -> None:
    """What a block gives is given again later: an object that its users change would have changed by then."""
    plain = (Tensor, int, float, str, bool, type(None))
    if not is_last and not all(isinstance(leaf, plain) for leaf in tree_leaves(value)):
        raise NotTraceableError("a block gives something other than tensors")


def _blocks(model: nn.Module) -> tuple[str, list[str]]:
    """Where the longest list of blocks is, and all paths of blocks: its own, and what stands beside it and above."""
    lists = [
        (len(part), path)
        for path, part in model.named_modules()
        if isinstance(part, nn.ModuleList | nn.Sequential) and len(part) >= _FEWEST
    ]
    if not lists:
        raise NotTraceableError("it has no list of blocks")
    place = max(lists, key=lambda item: item[0])[1]
    above = {place[:at] for at, letter in enumerate(place) if letter == "."} | {"", place}
    paths: list[str] = []
    queue = sorted(above)
    while queue:
        path = queue.pop(0)
        for name, child in model.get_submodule(path).named_children():
            inner = f"{path}.{name}".lstrip(".")
            if isinstance(child, nn.ModuleList | nn.ModuleDict) and inner not in above:
                queue.append(inner)
            elif inner not in above:
                paths.append(inner)
    return place, paths


def _outside(model: nn.Module, paths: Sequence[str]) -> set[str]:
    """The parameters that no block holds."""
    inner = {id(p) for path in paths for p in model.get_submodule(path).parameters()}
    return {name for name, p in model.named_parameters(remove_duplicate=False) if id(p) not in inner}


def _uses(model: nn.Module, path: str, shared: set[str]) -> frozenset[str]:
    """The parameters a stretch depends on: those of its block, and all that are used or held outside of blocks."""
    block = {id(p) for p in model.get_submodule(path).parameters()}
    return frozenset(shared | {n for n, p in model.named_parameters(remove_duplicate=False) if id(p) in block})
