"""Whole blocks of a network: the links of a chain that give their stream back in the shape in which they took it.

A block is a module that is one of a chain (``nn.ModuleList``, ``nn.Sequential``), or any module where there is no
chain, with the residual additions that run in it: of a transformer layer its attention and its feed-forward part.
Without the branches of all its additions what comes in goes on. Where that cannot be, a block says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, fx, nn

from explorer.pruning.coupling.branches import BLOCK, Branch, branches, data_inputs, values_at
from explorer.pruning.coupling.groups import Coupling
from explorer.types import LayerTable, LoadedModel

_PROJECTS = "It gives the stream another shape by weights in its shortcut: nothing could stand in its place."
_OUTSIDE = " "  # no module is called so: an addition in the network's own code
_SHAPE = "It gives the stream another shape: nothing could stand in its place."
_WIDER = "A shortcut around it holds other modules, too."


@dataclass(frozen=True)
class Unit:
    """A block that can go: without its ``branches`` what ``entry`` gives goes on where ``exit`` was.

    ``name`` is its module's path; where its addition runs in no module (``in_module``), that of its first layers.
    """

    name: str
    branches: tuple[Branch, ...]
    entry: str
    exit: str
    in_module: bool = False
    why_not: str | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """The weights of all its branches."""
        return tuple(name for branch in self.branches for name in branch.parameters)


def units_of(unit: str, model: LoadedModel, layers: LayerTable, coupled: Coupling) -> tuple[Unit, ...]:
    """The blocks of this kind that can go, in the order in which they run."""
    if unit == BLOCK:
        own = branches(model, layers, coupled)
        return tuple(Unit(branch.name, (branch,), branch.kept, branch.sum) for branch in own)
    return tuple(block for block in whole_blocks(model, layers, coupled) if block.why_not is None)


def whole_blocks(model: LoadedModel, layers: LayerTable, coupled: Coupling) -> tuple[Unit, ...]:
    """The blocks of a traced model in the order in which they run; each that must stay says why."""
    if coupled.graph is None or model.module is None:
        return ()
    nodes = {node.name: node for node in coupled.graph.graph.nodes}
    by_block: dict[str, list[Branch]] = defaultdict(list)
    modules = _Modules(model.module, coupled.graph)
    for branch in branches(model, layers, coupled):
        by_block[modules.block_of(nodes[branch.sum]) or _OUTSIDE + branch.sum].append(branch)
    blocks = [_block(path, own, nodes) for path, own in by_block.items()]
    shapes = values_at(coupled.graph, model.example, {name for b in blocks for name in (b.entry, b.exit)})
    streams = [block for block in blocks if _is_stream(shapes[block.entry])]
    return tuple(replace(block, why_not=_why_not(block, layers, shapes)) for block in streams)


def _block(path: str, own: Sequence[Branch], nodes: Mapping[str, fx.Node]) -> Unit:
    entry, last = nodes[own[0].kept], nodes[own[-1].sum]
    while _is_inside(entry, path) and entry.all_input_nodes:
        entry = entry.all_input_nodes[0]
    while len(last.users) == 1 and _is_inside(user := next(iter(last.users)), path) and _reads_one(user):
        last = user
    in_module = not path.startswith(_OUTSIDE)
    return Unit(path if in_module else own[0].name, tuple(own), entry.name, last.name, in_module)


def _why_not(block: Unit, layers: LayerTable, shapes: Mapping[str, object]) -> str | None:
    if any(branch.projects for branch in block.branches):
        return _PROJECTS
    entry, last = shapes[block.entry], shapes[block.exit]
    if not isinstance(entry, Tensor) or not isinstance(last, Tensor) or entry.shape != last.shape:
        return _SHAPE
    if not block.in_module:
        return None
    inside = [layer for layer in layers.prunable if layer.parameter.startswith(f"{block.name}.")]
    left = next((layer.name for layer in inside if layer.parameter not in block.parameters), None)
    if left is not None:
        return f"{left} is in it and beside no shortcut, so the block would still change the stream."
    return _WIDER if any(not name.startswith(f"{block.name}.") for name in block.parameters) else None


def _is_stream(value: object) -> bool:
    """Not so for the whole numbers that embeddings read."""
    return isinstance(value, Tensor) and value.is_floating_point()


def _stack(node: fx.Node) -> list[str]:
    """The paths of the modules in which a node runs, outermost first."""
    entries = (node.meta.get("nn_module_stack") or {}).values()
    return [path for path, _ in entries if path]


def _is_inside(node: fx.Node, path: str) -> bool:
    return path in _stack(node)


def _reads_one(node: fx.Node) -> bool:
    return len([x for x in data_inputs(node) if x.op != "get_attr" and x.target is not getattr]) == 1


class _Modules:
    """Which module is the block that an addition belongs to."""

    def __init__(self, root: nn.Module, graph: fx.GraphModule) -> None:
        self._classes = {path: type(module) for path, module in root.named_modules()}
        self._chains = {p for p, m in root.named_modules() if isinstance(m, nn.ModuleList | nn.Sequential)}
        sums = [node for node in graph.graph.nodes if node.op != "call_module"]
        self._running = {path for node in sums for path in _stack(node)}

    def block_of(self, node: fx.Node) -> str | None:
        """The innermost link of a chain of alike blocks in which the node runs; else its innermost module."""
        stack = _stack(node)
        links = [path for path in reversed(stack) if path.rpartition(".")[0] in self._chains]
        alike = (path for path in links if self._is_one_of_alike(path))
        return next(iter([*alike, *links, *reversed(stack)]), None)

    def _is_one_of_alike(self, path: str) -> bool:
        """Whether the chain holds no blocks of other classes alone: attention and feed-forward are parts of a block."""
        classes = [self._classes[link] for link in self._links(path.rpartition(".")[0])]
        return len(classes) < 2 or len(set(classes)) < len(classes)

    def _links(self, chain: str) -> Iterator[str]:
        """The links of a chain that do more than call modules."""
        for path in self._classes:
            if path.rpartition(".")[0] == chain and path in self._running:
                yield path
