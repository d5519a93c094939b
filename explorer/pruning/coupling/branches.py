"""Residual blocks that can go as a whole: what is left is their shortcut.

A block is one side of an addition: everything that only this side needs, from the point where
both sides part. The other side carries no weights (identity, pooling, padding), or is the one
projection of a shortcut that changes shapes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

import torch
from torch import Tensor, fx

from explorer.pruning.apply import private_shell
from explorer.pruning.coupling.groups import Coupling
from explorer.types import LayerTable, LoadedModel, Part, Plan, PruningGroup
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, tensors_of
from explorer.types.operators import Rule, rule_of

BLOCK, WHOLE = "residual block", "layer block"
BLOCKS = (BLOCK, WHOLE)
_SIZES = {"size", "dim", getattr}


@dataclass(frozen=True)
class Branch:
    """One removable side of an addition, by the names of its nodes; ``kept`` is the other side.

    ``projects``: whether that other side has the weights of one layer. ``name``: the module that holds its layers.
    """

    sum: str
    end: str
    kept: str
    nodes: frozenset[str]
    parameters: tuple[str, ...]
    projects: bool = False
    name: str = ""


def branches(model: LoadedModel, layers: LayerTable, coupled: Coupling) -> tuple[Branch, ...]:
    """The residual blocks of a traced model in the order in which they run; each is zero when its weights are."""
    if coupled.graph is None or model.module is None or model.example is None:
        return ()
    names = {id(tensor): name for name, tensor in model.module.named_parameters()}
    holds = owned(coupled.graph, names)
    scored = {layer.parameter for layer in layers.prunable}
    ahead: dict[fx.Node, frozenset[fx.Node]] = {}
    candidates = []
    for node in coupled.graph.graph.nodes:
        ahead[node] = frozenset([node]).union(*(ahead[x] for x in data_inputs(node)))
        branch = _branch(node, ahead, holds, scored) if _is_sum(node) else None
        if branch is not None:
            candidates.append(branch)
    inner = [b for b in candidates if not any(o.sum in b.nodes for o in candidates)]
    return tuple(_vanishing(model, coupled.graph, inner, names))


def data_inputs(node: fx.Node) -> list[fx.Node]:
    """What a step computes with; whoever only asks for a size has none."""
    return [] if node.target in _SIZES else node.all_input_nodes


def _is_sum(node: fx.Node) -> bool:
    is_call = node.op in ("call_function", "call_method")
    two = len(node.args) == 2 and all(isinstance(x, fx.Node) for x in node.args) and node.args[0] is not node.args[1]
    return is_call and rule_of(node.target) is Rule.SUM and "sub" not in str(node.target) and two and not node.kwargs


def _branch(
    node: fx.Node, ahead: Mapping[fx.Node, frozenset[fx.Node]], owned: Mapping[fx.Node, set[str]], scored: set[str]
) -> Branch | None:
    a, b = (x for x in node.args if isinstance(x, fx.Node))
    if not any(x.op != "get_attr" for x in ahead[a] & ahead[b]):
        return None
    sides = [(end, other, _side(end, ahead[end] - ahead[other])) for end, other in ((a, b), (b, a))]
    n_scored = [len({p for x in own for p in owned.get(x, ())} & scored) for _, _, own in sides]
    side = 0 if n_scored[0] > n_scored[1] else 1
    n_block, n_kept = n_scored[side], n_scored[1 - side]
    end, kept, own = sides[side]
    if n_block <= n_kept or n_kept > 1 or (n_kept == 1 and n_block < 2) or set(end.users) != {node}:
        return None
    parameters = {p for x in own for p in owned.get(x, ())}
    elsewhere = {p for x, theirs in owned.items() if x not in own for p in theirs}
    shared = ahead[end] - ahead[kept] - own
    if parameters & elsewhere or any(owned.get(x, set()) & scored for x in shared):
        return None
    names, nodes = tuple(sorted(parameters)), frozenset(x.name for x in own)
    return Branch(node.name, end.name, kept.name, nodes, names, n_kept > 0, _common(sorted(parameters & scored)))


def _common(parameters: Sequence[str]) -> str:
    """What the paths of these parameters begin with alike; of a single one its layer."""
    paths = [name.split(".")[:-1] or [name] for name in parameters]
    alike = takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False))
    return ".".join(steps[0] for steps in alike) or ".".join(paths[0])


def _side(end: fx.Node, nodes: frozenset[fx.Node]) -> frozenset[fx.Node]:
    """Those of the nodes that nothing but ``end`` needs: masks and rotary angles that all blocks read are no part."""
    while True:
        shared = {x for x in nodes if x is not end and any(user not in nodes for user in x.users)}
        if not shared:
            return nodes
        nodes -= shared


def owned(graph: fx.GraphModule, names: Mapping[int, str]) -> dict[fx.Node, set[str]]:
    """The parameters that each node uses."""
    owned = {}
    for node in graph.graph.nodes:
        tensors: list[GraphValue] = []
        if node.op == "call_module":
            tensors = list(graph.get_submodule(str(node.target)).parameters())
        elif node.op == "get_attr":
            path, _, key = str(node.target).rpartition(".")
            tensors = [getattr(graph.get_submodule(path), key)]
        owned_names = {names[id(tensor)] for tensor in tensors if id(tensor) in names}
        if owned_names:
            owned[node] = owned_names
    return owned


def _vanishing(
    model: LoadedModel, graph: fx.GraphModule, candidates: list[Branch], names: Mapping[int, str]
) -> list[Branch]:
    """Those that really give zeros, in the shape of the sum, once all their weights are zero."""
    if not candidates:
        return []
    gone = {name for branch in candidates for name in branch.parameters}
    zeros = {key: torch.zeros_like(model.weights[name]) for key, name in names.items() if name in gone}
    shell = private_shell(graph, zeros)
    if not isinstance(shell, fx.GraphModule):
        return []
    seen = values_at(shell, model.example, {name for b in candidates for name in (b.sum, b.end, b.kept)})
    return [
        b
        for b in candidates
        if isinstance(seen[b.end], Tensor) and not bool(seen[b.end].any()) and seen[b.kept].shape == seen[b.sum].shape
    ]


def values_at(graph: fx.GraphModule, x: Inputs | None, names: Collection[str]) -> dict[str, GraphValue]:
    """What the nodes of these names give for ``x``."""
    watch = _Watch(graph, names)
    with torch.no_grad():
        watch.run(*(() if x is None else tensors_of(x).values()))
    return watch.seen


class _Watch(fx.Interpreter):
    def __init__(self, graph: fx.GraphModule, names: Collection[str]) -> None:
        super().__init__(graph, garbage_collect_values=True)
        self.seen: dict[str, GraphValue] = {}
        self._watched = names

    def run_node(self, n: fx.Node) -> GraphValue:
        result = super().run_node(n)
        if n.name in self._watched:
            self.seen[n.name] = result.clone() if isinstance(result, Tensor) else result
        return result


def block_group(model: LoadedModel, layers: LayerTable, coupled: Coupling) -> PruningGroup | None:
    """One group whose units are the residual blocks; None where there is none."""
    return group_of_blocks("residual blocks", BLOCK, branches(model, layers, coupled), model, layers)


class Removable(Protocol):
    """A block by its name and its parameters."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[str, ...]: ...


def group_of_blocks(
    name: str, unit: str, blocks: Sequence[Removable], model: LoadedModel, layers: LayerTable
) -> PruningGroup | None:
    """One group in which each block is a unit; None where there is none."""
    by_parameter = {layer.parameter: layer for layer in layers}
    parts = tuple(
        Part(key, 0, torch.full((model.weights[key].shape[0],), place), "scored" if prunable else "follows")
        for place, block in enumerate(blocks)
        for key in block.parameters
        if model.weights[key].dim()
        for prunable in (by_parameter[key].prunable,)
    )
    scored = [by_parameter[p.parameter] for p in parts if p.role == "scored"]
    if not scored:
        return None
    return PruningGroup(
        name=name,
        layers=tuple(layer.name for layer in scored),
        n_units=len(blocks),
        unit=unit,
        n_weights=sum(layer.n_weights for layer in scored),
        block="network",
        kind="block",
        parts=parts,
        unit_names=tuple(block.name for block in blocks),
    )


def gone_blocks(plan: Plan, group: PruningGroup) -> set[int]:
    """The units of ``group`` that the plan removes."""
    pruned = {part.parameter for part in group.parts if part.parameter in plan.masks}
    return {
        int(part.units[0])
        for part in group.parts
        if part.role == "scored" and part.parameter in pruned and not bool(plan.masks[part.parameter].any())
    }


def drop(graph: fx.GraphModule, gone: Sequence[Branch]) -> None:
    """Let the sums of these branches be their shortcuts, and forget what only the branches used."""
    nodes = {node.name: node for node in graph.graph.nodes}
    for branch in reversed(gone):
        nodes[branch.sum].replace_all_uses_with(nodes[branch.kept])
        graph.graph.erase_node(nodes[branch.sum])
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
