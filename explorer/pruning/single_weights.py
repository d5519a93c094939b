"""Single weights of what whole units leave: the second request of a combination, on the network under the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.pruning.allocation import Bounds
from explorer.pruning.apply import masked, masked_weights
from explorer.pruning.bounds import bounds_of
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.scoring import score
from explorer.pruning.select import keep_masks
from explorer.pruning.spec import PruneSpec
from explorer.pruning.within_layer import parameter_of
from explorer.ranking.order import Magnitudes
from explorer.text.numbers import count, percent
from explorer.types import Dataset, LoadedModel, Plan, PruningGroup, Scores


def with_single_weights(model: LoadedModel, units: Plan, spec: PruneSpec, data: Dataset | None = None) -> Plan:
    """The plan of both: what ``units`` cuts, and of the weights that it leaves those that ``spec.then`` prunes.

    Weights are scored in the network as the units leave it, and shares, locks and limits of ``spec.then`` are of what
    is left of each layer: the smaller network alone, pruned globally to the same share, loses the same weights.
    Raises ExplorerError as :func:`explorer.plan` does.
    """
    then = spec.then
    if then is None:
        return units
    _refuse(then, units)
    now = _under(model, units)
    scores = score(now, then, data)
    stays = _stays(now, units, scores)
    left = _of_what_is_left(now, then, scores, stays)
    bounds = bounds_of(left.groups, then)
    counts = then.allocation.counts(left, bounds)
    masks = dict(units.masks)
    for name, keep in keep_masks(left.values, {name: n for name, n in counts.items() if n}).items():
        parameter, places = stays[name]
        mask = places.clone()
        mask[places] = keep
        masks[parameter] = mask.reshape(now.weights[parameter].shape)
    return replace(
        units,
        spec=spec.to_json(),
        masks=masks,
        digest=_digest(units, then, counts, scores),
        notes=(*units.notes, _note(units, counts, bounds, left)),
        updates={**units.updates, **then.criterion.updates(now, masks, scores.evidence)} if masks else {},
        of_units=units,
    )


def _refuse(then: PruneSpec, units: Plan) -> None:
    if type(then.criterion).chosen is not Criterion.chosen:
        what = f"{then.criterion.label} chooses among all weights of a layer, those of pruned units included."
        raise ExplorerError(what, fix="Choose another criterion for the single weights, such as obs or lp_norm.")
    names = {layer.name for layer in units.layers}
    unknown = next((name for name, _ in then.limits if name not in names), None)
    if unknown is not None:
        raise ExplorerError(f"This model has no layer {unknown!r} whose weights could be limited.", fix="Correct it.")


def _under(model: LoadedModel, units: Plan) -> LoadedModel:
    """The network as the units leave it: what is pruned is zero, what makes up for it has its new value."""
    weights = {**model.weights, **units.updates, **masked_weights(model, units)}
    module = None if model.module is None else masked(model, units).module
    return replace(model, module=module, weights=weights, digest=f"{model.digest} under {units.digest}")


def _stays(model: LoadedModel, units: Plan, scores: Scores) -> dict[str, tuple[str, Tensor]]:
    """By group: its parameter, and (n,) bool, which of its weights the units leave."""
    places = {}
    for name in scores.values:
        group = next(group for group in scores.groups if group.name == name)
        parameter = parameter_of(model, group)
        mask = units.masks.get(parameter)
        n = model.weights[parameter].numel()
        places[name] = parameter, torch.ones(n, dtype=torch.bool) if mask is None else mask.reshape(-1)
    return places


def _of_what_is_left(
    model: LoadedModel, then: PruneSpec, scores: Scores, stays: Mapping[str, tuple[str, Tensor]]
) -> Scores:
    values = {name: values[stays[name][1]] for name, values in scores.values.items()}
    values = {name: left for name, left in values.items() if len(left)}
    groups = tuple(_smaller(group, values) for group in scores.groups if group.name in values or group.why_not)
    scales = dict(values)
    if then.criterion.on_weight_scale:
        scales = {
            n: model.weights[parameter].reshape(-1)[left] for n, (parameter, left) in stays.items() if n in values
        }
    deviations = {name: float(scale.double().std(correction=0)) for name, scale in scales.items()}
    return replace(scores, groups=groups, values=values, ranks=Magnitudes.of_each(values), deviations=deviations)


def _smaller(group: PruningGroup, values: Mapping[str, Tensor]) -> PruningGroup:
    n = len(values.get(group.name, ()))
    return group if group.why_not is not None else replace(group, n_units=n, n_weights=n)


def _note(units: Plan, counts: Mapping[str, int], bounds: Mapping[str, Bounds], left: Scores) -> str:
    n, n_left = sum(counts.values()), sum(len(values) for values in left.values.values())
    share = percent(n / n_left) if n_left else "nothing"
    return f"Of the {count(n_left)} weights that the {units.unit}s leave, {count(n)} go as single weights ({share})."


def _digest(units: Plan, then: PruneSpec, counts: Mapping[str, int], scores: Scores) -> str:
    """Which weights go follows from the network under the first plan, the ranking and the counts."""
    spent = {name: n for name, n in counts.items() if n}
    text = json.dumps([units.digest, then.to_json()["criterion"], spent, scores.source], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
