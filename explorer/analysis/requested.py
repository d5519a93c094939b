"""What a request leaves of a model, as a model of its own."""

from __future__ import annotations

from dataclasses import replace

from explorer.models.lineage import KEY, beginning
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import masked_model
from explorer.types import Dataset, LoadedModel, Plan


def left_by(dense: LoadedModel, spec: PruneSpec, plan: Plan) -> LoadedModel:
    """The dense model with exact zeros where ``plan``, which is of ``spec``, prunes; it says where it comes from."""
    pruned = masked_model(dense, {**dense.weights, **plan.updates}, plan.masks)
    lineage = beginning(dense).after({"spec": spec.to_json()})
    about = {"source": "request", "spec": spec.to_json(), KEY: lineage.to_json()}
    return replace(pruned, meta={**pruned.meta, **about})


def recovered_by(dense: LoadedModel, recipe: Recipe, data: Dataset, device: str = "cpu") -> LoadedModel:
    """What a recipe makes of the dense model: pruned, trained, rounded, as its steps say."""
    *_, last = recover(dense, recipe, data, device=device, progress=False)
    if last.recovered is None:
        raise TypeError("a recipe ends with what it came to")
    model, lineage = last.recovered.model, beginning(dense).after({"recipe": recipe.to_json()})
    return replace(model, meta={**model.meta, "source": "request", KEY: lineage.to_json()})
