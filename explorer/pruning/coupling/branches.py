"""Residual blocks that can go as a whole: what is left is their shortcut.

A block is one side of an addition: everything that only this side needs, from the point where
both sides part. The other side carries no weights (identity, pooling, padding), or is the one
projection of a shortcut that changes shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx

from explorer.pruning.apply import private_shell
from explorer.pruning.coupling.groups import Coupling
from explorer.types import LayerTable, LoadedModel, Part, Plan, PruningGroup
from explorer.types.aliases import GraphValue
from explorer.types.inputs import tensors_of
from explorer.types.operators import Rule, rule_of

BLOCK = "residual block"
_SIZES = {"size", "dim", getattr}


@dataclass(frozen=True)
class Branch:
    """One removable side of an addition, by the names of its nodes; ``kept`` is the other side."""

    sum: str
    end: str
    kept: str
    nodes: frozenset[str]
    parameters: tuple[str, ...]


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
        ahead[node] = frozenset([node]).union(*(ahead[x] for x in _data_inputs(node)))
        branch = _branch(node, ahead, holds, scored) if _is_sum(node) else None
        if branch is not None:
            candidates.append(branch)
    inner = [b for b in candidates if not any(o.sum in b.nodes for o in candidates)]
    return tuple(_vanishing(model, coupled.graph, inner, names))


def _data_inputs(node: fx.Node) -> list[fx.Node]:
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
    sides = [(end, other, ahead[end] - ahead[other]) for end, other in ((a, b), (b, a))]
    n_scored = [len({p for x in own for p in owned.get(x, ())} & scored) for _, _, own in sides]
    side = 0 if n_scored[0] > n_scored[1] else 1
    n_block, n_kept = n_scored[side], n_scored[1 - side]
    end, kept, own = sides[side]
    if n_block <= n_kept or n_kept > 1 or (n_kept == 1 and n_block < 2) or set(end.users) != {node}:
        return None
    if any(user not in own for x in own if x is not end for user in x.users):
        return None
    parameters = {p for x in own for p in owned.get(x, ())}
    elsewhere = {p for x, theirs in owned.items() if x not in own for p in theirs}
    if parameters & elsewhere:
        return None
    return Branch(node.name, end.name, kept.name, frozenset(x.name for x in own), tuple(sorted(parameters)))


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
    watch = _Watch(shell, {name for b in candidates for name in (b.sum, b.end, b.kept)})
    inputs = () if model.example is None else tensors_of(model.example).values()
    with torch.no_grad():
        watch.run(*inputs)
    seen = watch.seen
    return [
        b
        for b in candidates
        if isinstance(seen[b.end], Tensor) and not bool(seen[b.end].any()) and seen[b.kept].shape == seen[b.sum].shape
    ]


class _Watch(fx.Interpreter):
    def __init__(self, graph: fx.GraphModule, names: set[str]) -> None:
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
    blocks = branches(model, layers, coupled)
    by_parameter = {layer.parameter: layer for layer in layers}
    parts = tuple(
        Part(name, 0, torch.full((model.weights[name].shape[0],), unit), "scored" if prunable else "follows")
        for unit, branch in enumerate(blocks)
        for name in branch.parameters
        if model.weights[name].dim()
        for prunable in (by_parameter[name].prunable,)
    )
    scored = [by_parameter[p.parameter] for p in parts if p.role == "scored"]
    if not scored:
        return None
    return PruningGroup(
        name="residual blocks",
        layers=tuple(layer.name for layer in scored),
        n_units=len(blocks),
        unit=BLOCK,
        n_weights=sum(layer.n_weights for layer in scored),
        block="network",
        kind="block",
        parts=parts,
    )


def gone_blocks(plan: Plan, group: PruningGroup) -> set[int]:
    """The units of ``group`` that the plan removes."""
    pruned = {part.parameter for part in group.parts if part.parameter in plan.masks}
    return {
        int(part.units[0])
        for part in group.parts
        if part.role == "scored" and part.parameter in pruned and not bool(plan.masks[part.parameter].any())
    }


def drop(graph: fx.GraphModule, blocks: tuple[Branch, ...], gone: set[int]) -> None:
    """Let the sums of these blocks be their shortcuts, and forget what only the blocks used."""
    nodes = {node.name: node for node in graph.graph.nodes}
    for unit in sorted(gone, reverse=True):
        branch = blocks[unit]
        nodes[branch.sum].replace_all_uses_with(nodes[branch.kept])
        graph.graph.erase_node(nodes[branch.sum])
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
