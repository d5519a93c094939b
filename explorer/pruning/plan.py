"""From a request to masks: score, allocate, select, spread."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.pruning.allocation.threshold import lowest_kept
from explorer.pruning.bounds import bounds_of, is_locked
from explorer.pruning.coupling.groups import kept_shape
from explorer.pruning.coupling.unused_channels import unread
from explorer.pruning.criteria.base import Choice
from explorer.pruning.layers import already_zero
from explorer.pruning.reach import most
from explorer.pruning.scoring import ranked, score
from explorer.pruning.select import keep_masks
from explorer.pruning.shortfall import Counts, Shortfall, check_units, few
from explorer.pruning.single_weights import with_single_weights
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, GroupPlan, LoadedModel, Plan, PruningGroup, Scores
from explorer.types.stopping import check


def plan(model: LoadedModel, spec: PruneSpec, scores: Scores | None = None, data: Dataset | None = None) -> Plan:
    """What goes and what stays under ``spec``.

    Args:
        model: The dense model; it is only read.
        spec: The request.
        scores: Of :func:`score`; pass them again while only thresholds move.
        data: For criteria that look at samples.

    Returns:
        A plan: ``masks`` by parameter, in its shape, True keeps; ``n_pruned`` is counted from them. Exactly as many
        units go as the allocation says, lowest scores first, ties in index order.

    Raises:
        ExplorerError: The spec limits a layer that the model does not have, the criterion cannot be computed, or
            something is to go where no unit can.

    Examples:
        >>> import explorer as ex
        >>> plan = ex.plan(ex.load("digits-mlp"), ex.PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5"))
        >>> plan.n_pruned, int((~plan.masks["fc1.weight"]).sum()) <= plan.masks["fc1.weight"].numel()
        (25216, True)
    """
    first = _of_one_kind(model, spec, score(model, spec, data) if scores is None else scores)
    return first if spec.then is None else with_single_weights(model, first, spec, data)


def _of_one_kind(model: LoadedModel, spec: PruneSpec, scores: Scores) -> Plan:
    """The units that ``spec`` itself takes away, without the single weights that go after them."""
    _check(spec, scores)
    bounds = bounds_of(scores.groups, spec)
    counts = rounded(spec.allocation.counts(scores, bounds), scores, spec)
    masks, kept, keeps = _cut_by(model, spec, scores, counts)
    group_plans = _group_plans(spec, scores, counts, keeps)
    shortfall = _shortfall(spec, scores, Counts(bounds, spec.allocation.wanted(scores, bounds), counts), masks)
    return Plan(
        spec=spec.to_json(),
        groups=group_plans,
        masks=masks,
        layers=scores.layers,
        asked=shortfall.asked,
        digest=_digest(model, spec, counts, scores),
        kept_shapes={name: kept_shape(tuple(model.weights[name].shape), dims) for name, dims in kept.items()},
        notes=(*_left_out(group_plans), *shortfall.notes(), *_reach(model, shortfall)),
        updates=spec.criterion.updates(model, masks, scores.evidence) if masks else {},
        nonzero=already_zero(model, scores.layers),
    )


def _names_of_gone(group: PruningGroup, keep: Tensor | None) -> tuple[str, ...]:
    return () if keep is None else tuple(name for unit, name in enumerate(group.unit_names) if not keep[unit])


def _shortfall(spec: PruneSpec, scores: Scores, counts: Counts, masks: Mapping[str, Tensor]) -> Shortfall:
    return Shortfall(spec, scores, counts, masks, lambda group: is_locked(group, spec))


def _reach(model: LoadedModel, shortfall: Shortfall) -> Iterator[str]:
    """How much can go, as long as nothing is asked for."""
    if any(shortfall.counts.reached.values()) or shortfall.asked or not shortfall.counts.bounds:
        return
    if not shortfall.spec.granularity.why_no_removal or shortfall.spec.granularity.key == "head":
        yield from shortfall.before(most(model, shortfall.spec, shortfall.scores, shortfall.counts.bounds))


def _left_out(groups: Sequence[GroupPlan]) -> Iterator[str]:
    """Which units go, where they have names."""
    for group in groups:
        if group.gone:
            yield f"Left out: {', '.join(group.gone)}."


def restored(model: LoadedModel, plan_: Plan, scores: Scores, group: str) -> Plan:
    """The same plan, but that one group keeps all its units; every other group keeps what it kept.

    ``scores`` are those that the plan was made of. Its digest is not that of a request: none asks for just this.
    """
    spec = PruneSpec.from_json(plan_.spec)
    counts = {each.group.name: each.n_pruned for each in plan_.groups} | {group: 0}
    masks, kept, keeps = _cut_by(model, spec, scores, counts)
    return replace(
        plan_,
        groups=_group_plans(spec, scores, counts, keeps),
        masks=masks,
        digest=f"{plan_.digest} without {group}",
        kept_shapes={name: kept_shape(tuple(model.weights[name].shape), dims) for name, dims in kept.items()},
        updates=spec.criterion.updates(model, masks, scores.evidence) if masks else {},
    )


def _cut_by(
    model: LoadedModel, spec: PruneSpec, scores: Scores, counts: Mapping[str, int]
) -> tuple[dict[str, Tensor], dict[str, dict[int, Tensor]], Mapping[str, Tensor]]:
    """The masks when so many units of each group go, which indices of whole dimensions stay, and which units do."""
    keeps = keep_masks(scores.values, {name: n for name, n in counts.items() if n})
    seen = ranked(model, scores)
    kept: dict[str, dict[int, Tensor]] = {}
    masks: dict[str, Tensor] = {}
    for group in scores.groups:
        check()
        if counts.get(group.name, 0):
            _merge(masks, kept, spec.granularity.spread(seen, group, keeps[group.name]))
    masks = spec.criterion.chosen(masks, Choice(model, spec.granularity, scores.evidence))
    masks |= {name: _outer(tuple(model.weights[name].shape), dims) for name, dims in kept.items()}
    _cut_unread(model, scores, masks, kept)
    return masks, kept, keeps


def _group_plans(
    spec: PruneSpec, scores: Scores, counts: Mapping[str, int], keeps: Mapping[str, Tensor]
) -> tuple[GroupPlan, ...]:
    plans = []
    for group in scores.groups:
        n = counts.get(group.name, 0)
        threshold = lowest_kept(scores, group.name, n) if group.why_not is None else 0.0
        gone = _names_of_gone(group, keeps.get(group.name))
        plans.append(GroupPlan(group, n, threshold, is_locked(group, spec), gone))
    return tuple(plans)


def _cut_unread(
    model: LoadedModel, scores: Scores, masks: dict[str, Tensor], kept: dict[str, dict[int, Tensor]]
) -> None:
    """Cut what nothing reads any more, too."""
    for name, dims in unread(scores.groups, masks).items():
        if name in model.weights:  # a running statistic is no weight
            outer, kept[name] = _outer(tuple(model.weights[name].shape), dims), dims
            masks[name] = masks[name] & outer if name in masks else outer


def group_masks(
    model: LoadedModel, spec: PruneSpec, scores: Scores, group: PruningGroup, keep: Tensor
) -> dict[str, Tensor]:
    """What one group alone cuts: (n_units,) bool, True keeps -> a mask for each parameter it touches."""
    masks: dict[str, Tensor] = {}
    kept: dict[str, dict[int, Tensor]] = {}
    _merge(masks, kept, spec.granularity.spread(ranked(model, scores), group, keep))
    masks = spec.criterion.chosen(masks, Choice(model, spec.granularity, scores.evidence))
    return masks | {name: _outer(tuple(model.weights[name].shape), dims) for name, dims in kept.items()}


def rounded(counts: Mapping[str, int], scores: Scores, spec: PruneSpec) -> dict[str, int]:
    """Counts that leave a multiple of the granularity's ``round_to`` in every group that loses units.

    What stays is rounded up, at most to all: rounding never prunes more than was asked.
    """
    step = int(getattr(spec.granularity, "round_to", 1))
    sizes = {group.name: group.n_units for group in scores.groups}
    return {name: max(0, sizes[name] - -(-(sizes[name] - n) // step) * step) for name, n in counts.items()}


def _merge(masks: dict[str, Tensor], kept: dict[str, dict[int, Tensor]], spread: Mapping[str, object]) -> None:
    for name, what in spread.items():
        if isinstance(what, Tensor):
            masks[name] = masks[name] & what if name in masks else what
        elif isinstance(what, dict):
            dims = kept.setdefault(name, {})
            for dim, stays in what.items():
                dims[dim] = dims[dim] & stays if dim in dims else stays


def _outer(shape: tuple[int, ...], kept: dict[int, Tensor]) -> Tensor:
    """True where every one of the indices stays, written once in the full shape."""
    lines = [stays.reshape([-1 if d == dim else 1 for d in range(len(shape))]) for dim, stays in kept.items()]
    if not lines:
        return torch.ones(shape, dtype=torch.bool)
    return reduce(torch.logical_and, lines).expand(shape).contiguous()


def _digest(model: LoadedModel, spec: PruneSpec, counts: Mapping[str, int], scores: Scores) -> str:
    """Masks follow from the weights, the ranking and the counts: hashing those is enough, and quick."""
    request = spec.to_json()
    ranking = {"granularity": request["granularity"], "criterion": request["criterion"]}
    spent = {name: n for name, n in counts.items() if n}
    seen = [scores.source] if spent and scores.source else []
    text = json.dumps([model.digest, ranking if spent else None, spent, *seen], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check(spec: PruneSpec, scores: Scores) -> None:
    check_units(spec, scores)
    names = {group.name for group in scores.groups}
    named = [name for name, _ in spec.limits]
    for field in ("shares", "values"):
        named += [name for name, _ in getattr(spec.allocation, field, ())]
    unknown = next((name for name in named if name not in names), None)
    if unknown is not None:
        raise ExplorerError(
            f"This model has no {scores.groups[0].unit if scores.groups else 'layer'} line called {unknown!r}.",
            fix=f"Choose one of: {few(sorted(names))}.",
        )
