"""Which channels must go together, and why.

The network is traced with torch.fx and its data movement is run on channel labels (see
``labels``). What comes out: for every layer, whose channels its rows make, whose channels its
columns read, and which of them are one unit.

Source: the idea of a dependency graph is Fang et al. 2023, arXiv:2301.12900 (DepGraph); the
method here is our own.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, fx, nn

from explorer.pruning.coupling.labelling import Labeller
from explorer.pruning.coupling.labels import Labels
from explorer.pruning.coupling.uses import Use
from explorer.pruning.coupling.views import FROZEN
from explorer.pruning.lowering import lowered
from explorer.pruning.tracing import traced
from explorer.types import LayerInfo, LayerTable, LoadedModel, Part, PruningGroup
from explorer.types.aliases import GraphValue

_FIRST = "First layer: it reads the input itself, has few weights, and everything after it depends on it."
_STREAM = "First layer of the stream that runs through the network: its channels are those of every block on the way."
_MUCH = 0.1  # of the weights of a network
_GO_AS = {
    "head": "Its channels belong to attention heads, which go as a whole: choose heads.",
    "hidden unit": "A recurrent layer: its units are tied through time and go as a whole: choose hidden units.",
}
_NO_PART = {
    "channel": "{kind} has no output channels that can be cut one by one.",
    "head": "Not the query, key or value of an attention whose heads can be followed.",
    "hidden unit": "Not a recurrent layer.",
}


@dataclass(frozen=True, eq=False)
class Coupling:
    """Every use of a parameter's slices, with the final labels; ``why_not`` if untraceable."""

    uses: tuple[Use, ...]
    labels: Labels
    why_not: str | None = None
    graph: fx.GraphModule | None = None
    shaped: Mapping[str, tuple[GraphValue, GraphValue]] = field(default_factory=dict)
    from_zero: frozenset[str] = frozenset()


_COUPLINGS: WeakKeyDictionary[nn.Module, tuple[object, Coupling]] = WeakKeyDictionary()
_ONE_AT_A_TIME = threading.RLock()


def coupling(model: LoadedModel) -> Coupling:
    """Trace the model and find what its channels share. Never raises on odd networks: it says why not.

    It is found once for each module and example; nobody writes to it, nor to the graph in it.
    """
    if model.module is None:
        return _coupling(model)
    with _ONE_AT_A_TIME:
        example, coupled = _COUPLINGS.get(model.module, (None, None))
        if coupled is None or example is not model.example:
            coupled = _coupling(model)
            _COUPLINGS[model.module] = model.example, coupled
    return coupled


def _coupling(model: LoadedModel) -> Coupling:
    labels = Labels()
    if model.module is None or model.example is None:
        return Coupling((), labels, model.why_not_runnable or "The model cannot be run.")
    try:
        graph = lowered(traced(model.module, model.example))
        tensors = [*model.module.named_parameters(), *model.module.named_buffers()]
        labeller = Labeller(graph, labels, {id(t): name for name, t in tensors})
        labeller.label(model.example)
    except Exception as error:  # tracing runs the user's own forward
        logging.getLogger(__name__).warning("The network could not be traced.", exc_info=True)
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:120]
        return Coupling(
            (), labels, f"The network could not be traced, so its shared channels are unknown ({first_line})."
        )
    from_zero = frozenset(labeller.from_zero)
    return Coupling(tuple(labeller.uses.all), labels, graph=graph, shaped=labeller.shaped, from_zero=from_zero)


def unit_groups(model: LoadedModel, layers: LayerTable, unit: str) -> tuple[PruningGroup, ...]:
    """One group for each set of units of this kind that go together; then the layers that cannot take part.

    ``unit``: "channel", "head" or "hidden unit".
    """
    coupled = coupling(model)
    by_parameter = {layer.parameter: layer for layer in layers.prunable}
    rows = {u.parameter: u for u in coupled.uses if u.role == "scored" and u.parameter in by_parameter}
    groups = _named(_groups(coupled, rows, by_parameter, unit), layers)
    taken = {name for group in groups for name in group.layers}
    rest = [_refused(layer, coupled, rows, unit) for layer in layers.prunable if layer.name not in taken]
    ordered = in_model_order([*groups, *rest], layers)
    return _locked(ordered, layers) if unit == "channel" else ordered


def in_model_order(groups: Sequence[PruningGroup], layers: LayerTable) -> tuple[PruningGroup, ...]:
    """Groups in the order of their first layers."""
    order = {layer.name: i for i, layer in enumerate(layers)}
    return tuple(sorted(groups, key=lambda group: order[group.layers[0]]))


def _groups(
    coupled: Coupling, rows: dict[str, Use], by_parameter: dict[str, LayerInfo], unit: str
) -> list[PruningGroup]:
    """Units that appear in the same layers, equally often, form one group: its groups have one size."""
    kinds = coupled.labels.kinds()
    final = [(use, coupled.labels.roots(use.labels)) for use in coupled.uses]
    appears: dict[int, list[str]] = defaultdict(list)
    for use, roots in final:
        if rows.get(use.parameter) is use:
            for root in roots.tolist():
                if root > FROZEN and kinds.get(root, "channel") == unit:
                    appears[root].append(use.parameter)
    signatures: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for root, parameters in appears.items():
        signatures[tuple(parameters)].append(root)
    parts = _parts(final, list(signatures.values()))
    return [
        _group(signature, unit_roots, own, coupled.labels, by_parameter, unit)
        for (signature, unit_roots), own in zip(signatures.items(), parts, strict=True)
    ]


def _parts(final: list[tuple[Use, Tensor]], groups: list[list[int]]) -> list[tuple[Part, ...]]:
    """For each group of representatives every use that holds one, with the unit of each slice (-1: none)."""
    n_roots = 1 + max((int(roots.max()) for _, roots in final if len(roots)), default=0)
    group_of, unit_of = torch.full((2, n_roots), -1)
    for i, unit_roots in enumerate(groups):
        group_of[unit_roots] = i
        unit_of[unit_roots] = torch.arange(len(unit_roots))
    parts: list[list[Part]] = [[] for _ in groups]
    for use, roots in final:
        held, units = group_of[roots], unit_of[roots]
        for i in torch.unique(held).tolist():
            if i >= 0:
                parts[i].append(Part(use.parameter, use.dim, torch.where(held == i, units, -1), use.role))
    return [tuple(own) for own in parts]


def _group(
    signature: tuple[str, ...],
    unit_roots: list[int],
    parts: tuple[Part, ...],
    labels: Labels,
    by_parameter: dict[str, LayerInfo],
    unit: str,
) -> PruningGroup:
    members = [by_parameter[name] for name in dict.fromkeys(signature)]
    scored = [part for part in parts if part.role == "scored"]
    per_row = {layer.parameter: layer.n_weights // layer.shape[_dim_of(scored, layer)] for layer in members}
    return PruningGroup(
        name=members[0].name,
        layers=tuple(layer.name for layer in members),
        n_units=len(unit_roots),
        unit=unit,
        n_weights=sum(per_row[name] for name in signature) * len(unit_roots),
        block=members[0].block,
        kind=members[0].kind,
        coupled_by=labels.reasons(set(unit_roots)),
        parts=parts,
    )


def _dim_of(parts: Sequence[Part], layer: LayerInfo) -> int:
    return next(part.dim for part in parts if part.parameter == layer.parameter)


def _named(groups: list[PruningGroup], layers: LayerTable) -> list[PruningGroup]:
    """Give every group a name of its own: two may start with the same layer."""
    seen: dict[str, int] = defaultdict(int)
    order = {layer.name: i for i, layer in enumerate(layers)}
    named = []
    for group in sorted(groups, key=lambda k: (order[k.layers[0]], -len(k.layers))):
        free = next((name for name in group.layers if seen[name] == 0), None)
        name = free or f"{group.name} ({seen[group.name] + 1})"
        seen[name] += 1
        named.append(replace(group, name=name, block=layers[free].block if free else group.block))
    return named


def _refused(layer: LayerInfo, coupled: Coupling, rows: dict[str, Use], unit: str) -> PruningGroup:
    use = rows.get(layer.parameter)
    if coupled.why_not:
        why = coupled.why_not
    elif use is not None:
        why = _why_frozen(coupled, use, unit)
    elif unit == "hidden unit" and layer.kind.startswith(("RNN", "LSTM", "GRU")):
        why = "A recurrent layer with a projection, or fed in a way that cannot be followed."
    elif layer.kind == "Embedding" and unit == "channel":
        why = "An embedding: its columns are shared by every token."
    else:
        why = _NO_PART[unit].format(kind=layer.kind)
    n_units = layer.shape[0] if layer.shape else 0
    return PruningGroup(layer.name, (layer.name,), n_units, unit, layer.n_weights, layer.block, layer.kind, why_not=why)


def _why_frozen(coupled: Coupling, use: Use, unit: str) -> str:
    roots = set(coupled.labels.same(use.labels).tolist())
    kind = next((k for root, k in coupled.labels.kinds().items() if root in roots), "channel")
    reason = coupled.labels.why_frozen(use.labels)
    if kind != unit and unit == "channel" and reason is None:
        return _GO_AS[kind]
    if kind != unit and unit != "channel":
        return _NO_PART[unit]
    return _sentence(reason)


def _sentence(reason: str | None) -> str:
    text = reason or "its channels are tied to something that cannot shrink"
    return f"{text[0].upper()}{text[1:]}."


def _locked(groups: tuple[PruningGroup, ...], layers: LayerTable) -> tuple[PruningGroup, ...]:
    """The first layer is locked by default: it sees the input itself, and everything after it depends on it."""
    first = next((layer.name for layer in layers.prunable), None)
    return tuple(
        replace(group, locked_by=_STREAM if _is_stream(group, layers) else _FIRST)
        if first in group.layers and group.why_not is None
        else group
        for group in groups
    )


def _is_stream(group: PruningGroup, layers: LayerTable) -> bool:
    others = sum(layers[name].n_weights for name in dict.fromkeys(group.layers[1:]))
    return others > _MUCH * layers.n_prunable


def kept_shape(shape: tuple[int, ...], kept: dict[int, Tensor]) -> tuple[int, ...]:
    """A parameter's shape once only the kept indices of each dimension are left."""
    return tuple(int(kept[d].sum()) if d in kept else size for d, size in enumerate(shape))
