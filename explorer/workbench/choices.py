"""What a choice above the histograms makes of the request: the unit, the criterion, a preset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from explorer.errors import ExplorerError
from explorer.pruning import allocation
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.level import with_sparsity
from explorer.pruning.scoring import why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.types import Scores

PRESETS = (0.0, 0.5, 0.8, 0.9)


def with_unit(spec: PruneSpec, key: str) -> PruneSpec:
    """Another unit: thresholds and limits name the units of the old one, so they start anew."""
    if key == spec.granularity.key:
        return spec
    then = None if key == "weight" else spec.then
    unit = GRANULARITIES.get(key)
    return replace(spec, granularity=unit, allocation=allocation.get("global"), limits=(), then=then)


def single_weights_after(spec: PruneSpec, share: float) -> PruneSpec:
    """The same units, and then this share of the single weights that they leave; 0: none."""
    if not share or spec.granularity.key == "weight":
        return replace(spec, then=None)
    return replace(spec, then=with_sparsity(spec.then or PruneSpec(), share))


def with_criterion(spec: PruneSpec, key: str, scores_of: Callable[[PruneSpec], Scores]) -> PruneSpec:
    """Another criterion. Raises ExplorerError where it can rank nothing of this model."""
    if key == spec.criterion.key:
        return spec
    request = replace(spec, criterion=CRITERIA.get(key))
    why = why_no_units(scores_of(request))
    if why is None:
        return request
    what = f"{request.criterion.label} ranks no {spec.granularity.unit} of this model."
    raise ExplorerError(what, why=why, fix="Choose another unit or criterion.")


def with_preset(spec: PruneSpec, share: float, mode: str) -> PruneSpec:
    """This share of all unlocked units: global, or uniform where thresholds move so."""
    key = "uniform" if mode == "share" else "global"
    then = spec.then if share else None  # nothing pruned is nothing at all
    return replace(spec, allocation=allocation.get(key, sparsity=share), then=then)
