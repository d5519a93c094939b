"""What a request leaves of a model, as a model of its own."""

from __future__ import annotations

from dataclasses import replace

from explorer.models.lineage import KEY, beginning
from explorer.pruning.spec import PruneSpec
from explorer.recovery.state import masked_model
from explorer.types import LoadedModel, Plan


def left_by(dense: LoadedModel, spec: PruneSpec, plan: Plan) -> LoadedModel:
    """The dense model with exact zeros where ``plan``, which is of ``spec``, prunes; it says where it comes from."""
    pruned = masked_model(dense, {**dense.weights, **plan.updates}, plan.masks)
    lineage = beginning(dense).after({"spec": spec.to_json()})
    about = {"source": "request", "spec": spec.to_json(), KEY: lineage.to_json()}
    return replace(pruned, meta={**pruned.meta, **about})
