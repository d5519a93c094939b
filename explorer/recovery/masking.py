"""Pruning a network that is pruned already: what is gone stays gone, and more goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.ranking.order import Magnitudes
from explorer.recovery.state import State, mask_digest, masked_model
from explorer.types import Dataset, LoadedModel, Plan, Scores


def pruned(state: State, spec: PruneSpec, data: Dataset | None = None) -> State:
    """``state`` after ``spec``: scored on its weights of now, pruned to the spec's overall level.

    What was pruned before counts towards the level and stays pruned, whatever the spec says; so masks only grow.
    ``data`` is for criteria that look at it.
    """
    plan = grown_plan(state.model, spec, state.masks, data)
    if state.plan is not None:
        plan = _with_shapes(plan, state.plan)
    model = masked_model(state.model, {**state.model.weights, **plan.updates}, plan.masks)
    return replace(state, model=model, plan=replace(plan, updates={}))


def grown_plan(model: LoadedModel, spec: PruneSpec, masks: Mapping[str, Tensor], data: Dataset | None = None) -> Plan:
    """A plan for ``model`` under ``spec`` whose masks lie within ``masks``; its digest is that of the masks."""
    scores = score(model, spec, data)
    if not masks:
        plan = make_plan(model, spec, scores, data)
        return replace(plan, digest=mask_digest(plan.masks), nonzero={})
    gone = _gone(model, spec, scores, masks)
    scores = _lowest(scores, gone)
    plan = make_plan(model, spec, scores, data)
    if any(k.n_pruned < int(gone[k.group.name].sum()) for k in plan.groups if k.group.name in gone):
        # The allocation would give something back: from here on what is gone is the least that goes.
        floors = {name: _floored(spec.limit(name), float(units.double().mean())) for name, units in gone.items()}
        asked = replace(spec, limits=tuple((dict(spec.limits) | floors).items()))
        plan = make_plan(model, asked, scores, data)
    names = {**plan.masks, **masks}
    merged = {n: plan.masks[n] & masks[n] if n in plan.masks and n in masks else names[n] for n in names}
    # What was zero before is part of the masks from here on, so that it moves with them.
    return replace(plan, spec=spec.to_json(), masks=merged, digest=mask_digest(merged), nonzero={})


def settled(
    state: State, spec: PruneSpec, masks: Mapping[str, Tensor], result: Mapping[str, Tensor], data: Dataset
) -> State:
    """``state`` after a training that moved its masks: the ``result`` of it under ``masks``.

    The plan is drawn up once more on the final weights, so that lines and counts are those of this network.
    """
    model = masked_model(state.model, result, masks)
    plan = replace(grown_plan(model, spec, masks, data), masks=masks, digest=mask_digest(masks), updates={})
    return replace(state, model=model, plan=plan)


def _gone(model: LoadedModel, spec: PruneSpec, scores: Scores, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """(n_units,) bool by group: units of which every scored weight is pruned already."""
    kept = {name: masks[name].float() if name in masks else torch.ones_like(t) for name, t in model.weights.items()}
    seen = replace(model, weights=kept)
    groups = {group.name: group for group in scores.groups}
    return {name: ~spec.granularity.unit_weights(seen, groups[name]).bool().any(dim=1) for name in scores.values}


def _lowest(scores: Scores, gone: Mapping[str, Tensor]) -> Scores:
    """The same scores, with every pruned unit below all others: it goes first."""
    bottom = min((float(values.min()) for values in scores.values.values() if len(values)), default=0.0)
    below = min(bottom, 0.0) - 1.0 - abs(bottom)
    values = {name: tensor.masked_fill(gone[name], below) for name, tensor in scores.values.items()}
    ranks = {name: Magnitudes.from_scores(tensor) for name, tensor in values.items()}
    return replace(scores, values=values, ranks=ranks)


def _floored(limit: Limit, share: float) -> Limit:
    floor = max(limit.floor, share)
    return replace(limit, floor=floor, cap=max(limit.cap, floor))


def _with_shapes(plan: Plan, before: Plan) -> Plan:
    """The shapes after removal, where units were cut before, now, or both times."""
    if before.kept_shapes and not plan.kept_shapes and plan.of_units is None:
        # Single weights after whole units: the units are cut out as before, and no others.
        return replace(plan, kept_shapes=before.kept_shapes, of_units=before.cutting)
    names = {**before.kept_shapes, **plan.kept_shapes}
    if not before.kept_shapes or set(before.kept_shapes) <= set(plan.kept_shapes):
        return plan
    return replace(plan, kept_shapes={name: _slices_left(plan.masks[name]) for name in names if name in plan.masks})


def _slices_left(mask: Tensor) -> tuple[int, ...]:
    dims = range(mask.dim())
    others = ([d for d in dims if d != dim] for dim in dims)
    return tuple(int((mask.any(dim=rest) if rest else mask).sum()) for rest in map(tuple, others))
