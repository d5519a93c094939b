"""A graph of steps that runs from wherever its values are already known.

Every value has a signature: which steps made it, with which masks. Equal signature and equal
batch mean the very same numbers, whatever the plan; so a value made for one plan serves all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._pytree import tree_map_only

from explorer.engine.tracers.base import Steps
from explorer.engine.tracers.chain import Stretch
from explorer.errors import ExplorerError
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, sample_shape, tensors_of
from explorer.types.stopping import check
from explorer.types.tensors import tensors_in

Signatures = Mapping[fx.Node, int]
Look = Callable[[int], GraphValue]
Put = Callable[[int, GraphValue], None]

_INPUTS = ("placeholder", "get_attr")
_SIZES = ("size", torch.ops.aten.sym_size.int)
_NONE: Mapping[fx.Node, GraphValue] = {}


@dataclass(frozen=True, eq=False)
class ProgramPart:
    """The steps that change with some parameters, down to the output.

    ``steps``: each with the values that nobody needs after it. ``frontier``: what must be
    known to run them. ``changed``: the steps that use the parameters themselves.
    """

    steps: tuple[tuple[fx.Node, tuple[fx.Node, ...]], ...]
    frontier: tuple[fx.Node, ...]
    changed: tuple[fx.Node, ...]


class Program:
    """The steps of one model in order, and which parameters each of them uses.

    ``names`` maps the id of each parameter to its path. The steps' own module only tells
    what is where; each run brings a private shell of it.
    """

    def __init__(self, steps: Steps, graph: fx.Graph, names: Mapping[int, str]) -> None:
        self.nodes: list[fx.Node] = list(graph.nodes)
        self.output = self.nodes[-1]
        self._place = {node: place for place, node in enumerate(self.nodes)}
        self._inputs = {n: place for place, n in enumerate(n for n in self.nodes if n.op == "placeholder")}
        self._parameters = {node: _parameters_of(steps, node, names) for node in self.nodes}
        self._anew = _made_anew(self.nodes)
        self._foreign = {node for node in self.nodes if _may_write(steps, node)}
        self.n_bytes: dict[fx.Node, float] = {}  # a sample's share of each value, once seen
        self._backwards: list[list[fx.Node]] | None = None
        self._parts: dict[frozenset[str], ProgramPart] = {}

    def signatures(self, digests: Mapping[str, bytes]) -> dict[fx.Node, int]:
        """Each value's signature under masks with these digests (by parameter path)."""
        signatures: dict[fx.Node, int] = {}
        for index, node in enumerate(self.nodes):
            own = tuple(digests.get(name) for name in self._parameters[node])
            signatures[node] = hash((id(self), index, own, tuple(signatures[n] for n in node.all_input_nodes)))
        return signatures

    def frontier(self, changed: Collection[fx.Node]) -> list[fx.Node]:
        """What must be known to run only the steps in ``changed``: their inputs that are not."""
        inputs = (n for node in self.nodes if node in changed for n in node.all_input_nodes)
        return list(dict.fromkeys(n for n in inputs if n not in changed and n not in self._anew))

    def place(self, node: fx.Node) -> int:
        """The position of a step in the order of execution."""
        return self._place[node]

    def depth(self, frontier: Collection[fx.Node]) -> int:
        """How far down the model a frontier reaches: the place of its last step, -1 if empty."""
        return max((self._place[node] for node in frontier), default=-1)

    def frontiers_backwards(self) -> list[list[fx.Node]]:
        """The frontier of each step that has parameters, should it change: the last step first."""
        if self._backwards is None:
            steps = [node for node in reversed(self.nodes) if self._parameters[node] and node.op != "get_attr"]
            self._backwards = [self.frontier(self._descendants((node,))) for node in steps]
        return self._backwards

    @property
    def parameters(self) -> frozenset[str]:
        """The paths of all parameters that some step uses."""
        return frozenset(name for names in self._parameters.values() for name in names)

    def using(self, parameters: Collection[str]) -> tuple[fx.Node, ...]:
        """The steps that use some of these parameters."""
        names = frozenset(parameters)
        return tuple(node for node in self.nodes if names.intersection(self._parameters[node]))

    def part(self, parameters: Iterable[str]) -> ProgramPart:
        """What changes when these parameters do; the output is always part of it."""
        names = frozenset(parameters)
        if names not in self._parts:
            self._parts[names] = self._part(names)
        return self._parts[names]

    def run_part(
        self,
        shell: nn.Module,
        part: ProgramPart,
        x: Inputs,
        at_frontier: Mapping[fx.Node, GraphValue],
        own: Mapping[fx.Node, GraphValue] = _NONE,
    ) -> GraphValue:
        """The output, given the values at the part's frontier.

        ``own`` holds modules (or tensors) that take the place of the shell's at some steps.
        """
        values = {node: at_frontier[node] for node in part.frontier}
        for node, done in part.steps:
            values[node] = self._step(shell, node, x, values, own)
            for used in done:
                del values[used]
        return values[self.output]

    def advance(
        self, shell: nn.Module, x: Inputs, targets: Collection[fx.Node], given: Mapping[fx.Node, GraphValue]
    ) -> dict[fx.Node, GraphValue]:
        """The wanted values of the dense model, from those that are known already."""
        values = dict(given)
        to_run = self._missing(targets, values, lambda node: None)
        keep = set(targets)
        waiting = {node: sum(user in to_run for user in node.users) for node in self.nodes}
        for node in self.nodes:
            if node in to_run:
                values[node] = self._step(shell, node, x, values)
                self._weigh(node, values[node], len(x))
                for used in node.all_input_nodes:
                    waiting[used] -= 1
                    if not waiting[used] and used not in keep:
                        values.pop(used, None)
        return {node: values[node] for node in targets}

    def run(
        self,
        shell: nn.Module,
        x: Inputs,
        signatures: Signatures,
        look: Look,
        put: Put,
        own: Mapping[fx.Node, GraphValue] = _NONE,
    ) -> GraphValue:
        """The output for one batch. ``look`` finds a value by signature (or None), ``put`` offers one.

        ``own`` as in :meth:`run_part`.
        """
        values: dict[fx.Node, GraphValue] = {}
        to_run = self._missing((self.output,), values, lambda node: look(signatures[node]))
        waiting = {node: sum(user in to_run for user in node.users) for node in self.nodes}
        for node in self.nodes:
            if node in to_run:
                values[node] = self._step(shell, node, x, values, own)
                self._weigh(node, values[node], len(x))
                if node not in self._anew:
                    put(signatures[node], values[node])
                for used in node.all_input_nodes:  # free each value after its last use
                    waiting[used] -= 1
                    if not waiting[used]:
                        values.pop(used, None)
        return values[self.output]

    def _missing(
        self, targets: Iterable[fx.Node], values: dict[fx.Node, GraphValue], look: Callable[[fx.Node], GraphValue]
    ) -> set[fx.Node]:
        """The steps between what is known or found by ``look`` and what is wanted; fills ``values``."""
        to_run: set[fx.Node] = set()
        queue = list(targets)
        while queue:
            node = queue.pop()
            if node in to_run or node in values:
                continue
            value = None if node in self._anew else look(node)
            if value is not None:
                values[node] = value
            else:
                to_run.add(node)
                queue += node.all_input_nodes
        return to_run

    def _part(self, names: frozenset[str]) -> ProgramPart:
        changed = self.using(names)
        affected = self._descendants((*changed, self.output))
        frontier = self.frontier(affected)
        inputs = {n for node in affected for n in node.all_input_nodes if n in self._anew}
        inputs |= {n for node in inputs for n in node.all_input_nodes}
        steps = [node for node in self.nodes if node in affected or node in inputs]
        last_use = {used: node for node in steps for used in node.all_input_nodes}
        done: dict[fx.Node, list[fx.Node]] = {}
        for used, node in last_use.items():
            done.setdefault(node, []).append(used)
        return ProgramPart(tuple((node, tuple(done.get(node, ()))) for node in steps), tuple(frontier), changed)

    def module_of(self, steps: nn.Module, node: fx.Node) -> GraphValue:
        """The module of a step, or the tensor that a ``get_attr`` step fetches."""
        return _find(steps, str(node.target))

    def _step(
        self,
        shell: nn.Module,
        node: fx.Node,
        x: Inputs,
        values: Mapping[fx.Node, GraphValue],
        own: Mapping[fx.Node, GraphValue] = _NONE,
    ) -> GraphValue:
        if node.op == "placeholder":
            _check_batch(shell, x)
            return next(islice(tensors_of(x).values(), self._inputs[node], None))
        if node.op == "get_attr":
            return own[node] if node in own else _find(shell, str(node.target))
        check()
        args: GraphValue = fx.node.map_arg(node.args, values.__getitem__)
        kwargs: GraphValue = fx.node.map_arg(node.kwargs, values.__getitem__)
        if node.op == "output":
            return args[0]
        try:
            return self._called(shell, node, (args, kwargs), own)
        except ExplorerError:
            raise
        except (Exception, SystemExit) as error:  # the model's own code runs here and may raise anything
            raise failed(error, x) from error

    def _called(
        self,
        shell: nn.Module,
        node: fx.Node,
        inputs: tuple[tuple[object, ...], Mapping[str, object]],
        own: Mapping[fx.Node, GraphValue],
    ) -> object:
        args, kwargs = inputs
        if node.op == "call_module":
            if node in self._foreign:
                args, kwargs = tree_map_only(Tensor, Tensor.clone, (args, dict(kwargs)))
            module = own[node] if node in own else shell.get_submodule(str(node.target))
            return module(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        function: Any = node.target
        return function(*args, **kwargs)

    def _weigh(self, node: fx.Node, value: object, n: int) -> None:
        if node not in self.n_bytes:
            self.n_bytes[node] = n_bytes(value) / n

    def _descendants(self, starts: Iterable[fx.Node]) -> set[fx.Node]:
        descendants = set(starts)
        for node in self.nodes:
            if any(n in descendants for n in node.all_input_nodes):
                descendants.add(node)
        return descendants


def _made_anew(nodes: Iterable[fx.Node]) -> frozenset[fx.Node]:
    """What every run makes for itself: inputs, the model's own tensors, and the sizes of these."""
    own = {node for node in nodes if node.op in _INPUTS}
    sizes = {node for node in nodes if node.target in _SIZES and own.issuperset(node.all_input_nodes)}
    return frozenset(own | sizes)


def _check_batch(shell: nn.Module, x: Inputs) -> None:
    """A network that a file described knows what a batch will take, and refuses one that is too much."""
    foresight = getattr(getattr(shell, "model", None), "foresight", None)
    if foresight is not None:
        foresight.check(len(x))


def failed(error: BaseException, x: Inputs) -> ExplorerError:
    """What a model's own code raised, in words; the log has the trace."""
    logging.getLogger(__name__).error("The model failed on a batch.", exc_info=error)
    first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
    return ExplorerError(
        f"The model does not take samples of shape {sample_shape(x)}.",
        why=f"{type(error).__name__}: {first[:200]}.",
        fix="Choose data that fits the model, or another size.",
    )


def n_bytes(value: object) -> int:
    """The memory of a tensor or of tensors inside tuples, lists and dicts."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_in(value))


def _parameters_of(steps: Steps, node: fx.Node, names: Mapping[int, str]) -> tuple[str, ...]:
    parameters: Iterable[Any] = ()
    if node.op == "call_module":
        module = steps.get_submodule(str(node.target))
        if isinstance(module, Stretch):
            return tuple(name for name in names.values() if name in module.uses)
        parameters = module.parameters()
    elif node.op == "get_attr":
        parameters = (_find(steps, str(node.target)),)
    return tuple(names[id(tensor)] for tensor in parameters if id(tensor) in names)


def _may_write(steps: Steps, node: fx.Node) -> bool:
    """Modules from outside torch may write to their inputs: they get copies."""
    if node.op != "call_module":
        return False
    modules = steps.get_submodule(str(node.target)).modules()
    return not all(type(m).__module__.startswith(("torch.nn.", "explorer.engine.")) for m in modules)


def _find(root: nn.Module, target: str) -> GraphValue:
    value: GraphValue = root
    for part in target.split("."):
        value = getattr(value, part)
    return value
