"""Where models come from, as one tree: the dense ones, and what was done to them, step by step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from explorer.analysis.tradeoff import label_of
from explorer.errors import ExplorerError
from explorer.models.lineage import lineage_of
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import Recipe
from explorer.text.names import model_name
from explorer.text.numbers import percent_asked
from explorer.types import LoadedModel
from explorer.types.aliases import JsonObject

Kind = Literal["dense", "pruned", "recovered", "quantized", "step"]


@dataclass(frozen=True)
class LineageNode:
    """A state on the way: ``title`` in words, ``parent`` the key of what it was made from (None: nothing is known of
    one), ``models`` the places of the compared models that are in this state."""

    key: str
    parent: str | None
    kind: Kind
    title: str
    models: tuple[int, ...] = ()


def lineage_map(models: Sequence[LoadedModel]) -> tuple[LineageNode, ...]:
    """One tree a dense model, each node after its parent. What several models have in common stands once."""
    nodes: dict[str, LineageNode] = {}
    for place, model in enumerate(models):
        chain = _chain(model)
        for node in chain:
            nodes.setdefault(node.key, node)
        last = nodes[chain[-1].key]
        nodes[last.key] = replace(last, models=(*last.models, place))
    return tuple(_in_order(nodes))


def _chain(model: LoadedModel) -> list[LineageNode]:
    lineage = lineage_of(model)
    if lineage is None:
        return [LineageNode(model.digest, None, "dense", model_name(model.address))]
    chain = [LineageNode(lineage.digest, None, "dense", model_name(lineage.address))]
    for step in lineage.steps:
        key = _key(chain[-1].key, json.dumps(step, sort_keys=True))
        chain.append(LineageNode(key, chain[-1].key, *_in_words(step)))
    if not lineage.steps:
        key = _key(lineage.digest, model.digest)
        chain.append(LineageNode(key, lineage.digest, "step", "changed in a way that is not recorded"))
    return chain


def _key(parent: str, step: str) -> str:
    return hashlib.sha256(f"{parent}/{step}".encode()).hexdigest()[:16]


def _in_order(nodes: Mapping[str, LineageNode]) -> list[LineageNode]:
    """Each node, then what was made from it."""
    ordered: list[LineageNode] = []

    def add(node: LineageNode) -> None:
        ordered.append(node)
        for other in nodes.values():
            if other.parent == node.key:
                add(other)

    for node in nodes.values():
        if node.parent is None:
            add(node)
    return ordered


def _in_words(step: JsonObject) -> tuple[Kind, str]:
    """What a step was. Anybody may have written it: what is no request or recipe is only a step."""
    recipe, spec = step.get("recipe"), step.get("spec")
    try:
        if isinstance(recipe, Mapping):
            read = Recipe.from_json(recipe)
            is_quantized = bool(read.steps) and read.steps[-1].key == "quantize"
            return ("quantized" if is_quantized else "recovered"), read.summary
        if isinstance(spec, Mapping):
            return _pruned(PruneSpec.from_json(spec))
    except ExplorerError:
        pass
    return "step", "a step that is not read"


def _pruned(spec: PruneSpec) -> tuple[Kind, str]:
    share = getattr(spec.allocation, "sparsity", None)
    level = f", {percent_asked(share)} asked" if isinstance(share, int | float) else ""
    limits = f", {len(spec.limits)} limits" if spec.limits else ""
    return "pruned", f"{label_of(spec)}{level}{limits}"
