"""Reads from: the layers of a network as a graph, whatever unit is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import fx

from explorer.pruning.coupling.branches import owned
from explorer.pruning.coupling.groups import Coupling, coupling
from explorer.types import LayerTable, LoadedModel
from explorer.types.operators import Rule, rule_of

Edge = tuple[str, str]
_SIZES = ("size", "dim", getattr)
_CONCATENATIONS = (torch.cat, torch.concat, torch.concatenate)


@dataclass(frozen=True)
class Wiring:
    """``edges``: (maker, reader) by the names of prunable layers and of joints.

    ``joints``: where outputs of several layers meet, and what happens to them there ("+", "concat" or "·").
    """

    edges: tuple[Edge, ...] = ()
    joints: Mapping[str, str] = field(default_factory=dict)


def wiring(model: LoadedModel, layers: LayerTable) -> Wiring:
    """Which layer reads which, through activations, normalisation, pooling, attention and residual adds.

    Empty where the network could not be traced.
    """
    coupled = coupling(model)
    if coupled.graph is None or model.module is None:
        return Wiring()
    names = {layer.parameter: layer.name for layer in layers.prunable}
    parameters = {id(t): n for n, t in model.module.named_parameters() if n in names}
    held = {node: {names[p] for p in ps} for node, ps in owned(coupled.graph, parameters).items()}
    within = {edge for members in held.values() if len(members) > 1 for edge in _inside(members, coupled, names)}
    walk = _Walk(within)
    for node in coupled.graph.graph.nodes:
        walk.visit(node, frozenset(held.get(node, ())))
    used = {maker for maker, _ in walk.edges}
    edges = tuple(edge for edge in walk.edges if edge[0] != edge[1] and (edge[1] in used or edge[1] not in walk.joints))
    return Wiring(edges, {name: word for name, word in walk.joints.items() if name in used})


class _Walk:
    """Follows outputs through a traced graph until another layer reads them."""

    def __init__(self, within: set[Edge]) -> None:
        self.edges: dict[Edge, None] = dict.fromkeys(sorted(within))
        self.joints: dict[str, str] = {}
        self._within = within
        self._reaching: dict[fx.Node, frozenset[str]] = {}
        self._weights: dict[fx.Node, frozenset[str]] = {}

    def visit(self, node: fx.Node, own: frozenset[str]) -> None:
        inputs = node.all_input_nodes
        if node.target in _SIZES:
            return
        if node.op == "get_attr" or (inputs and all(x in self._weights for x in inputs)):
            self._weights[node] = own.union(*(self._weights[x] for x in inputs))
            return
        own = own.union(*(self._weights[x] for x in inputs if x in self._weights))
        sources = [self._reaching[x] for x in inputs if x in self._reaching]
        before: frozenset[str] = frozenset().union(*sources)
        if own:
            self._connect(before, _ends(own, self._within, 1))
            before = frozenset(_ends(own, self._within, 0))
        elif any(source < before for source in sources if source):
            joint = f"joint {node.name}"
            is_sum = rule_of(node.target) is Rule.SUM
            self.joints[joint] = "+" if is_sum else "concat" if node.target in _CONCATENATIONS else "·"
            self._connect(before, [joint])
            before = frozenset([joint])
        self._reaching[node] = before

    def _connect(self, makers: Iterable[str], readers: Iterable[str]) -> None:
        self.edges |= {(maker, reader): None for maker in sorted(makers) for reader in readers}


def _inside(members: set[str], coupled: Coupling, names: dict[str, str]) -> set[Edge]:
    """How the weights of one module (a recurrent one) follow each other, by the channels that they share."""
    inside = [use for use in coupled.uses if names.get(use.parameter, "") in members]
    scored = {names[u.parameter]: set(coupled.labels.same(u.labels).tolist()) for u in inside if u.role == "scored"}
    read = {names[u.parameter]: set(coupled.labels.same(u.labels).tolist()) for u in inside if u.role == "consumes"}
    order = list(names.values())
    pairs = {(a, b) for a in scored for b in read if order.index(a) < order.index(b) and scored[a] & read[b] - {0}}
    return {(a, c) for a, c in pairs if not any((a, b) in pairs and (b, c) in pairs for b in scored)}


def _ends(members: frozenset[str], within: set[Edge], side: int) -> list[str]:
    """The members at which data comes in (``side`` 1: they read no other member) or goes out (0)."""
    inner = {edge[side] for edge in within if set(edge) <= members}
    return sorted(members - inner)
