"""JSON Schemas of what travels as files: a PruneSpec, a Recipe, and the policy of a check."""

from __future__ import annotations

from explorer.analysis.check.schema import policy_schema
from explorer.params.schema import registry_schema
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.granularity import GRANULARITIES
from explorer.recovery.recipe import MOST_STEPS
from explorer.recovery.steps import STEPS
from explorer.types.aliases import JsonDict

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def schemas() -> dict[str, JsonDict]:
    """Each schema by the name of its file."""
    policy = {"$schema": _DIALECT, **policy_schema()}
    requests = {"prune-spec.schema.json": prune_spec_schema(), "recipe.schema.json": recipe_schema()}
    return {**requests, "check-policy.schema.json": policy}


def prune_spec_schema() -> JsonDict:
    """What ``PruneSpec.to_json`` writes; what is left out has its default."""
    return {"$schema": _DIALECT, "title": "PruneSpec", "description": "What is pruned, and how much.", **_spec()}


def recipe_schema() -> JsonDict:
    """What ``Recipe.to_json`` writes: the steps in their order, and the seed of what is random."""
    steps = {"type": "array", "minItems": 1, "maxItems": MOST_STEPS, "items": {"$ref": "#/$defs/step"}}
    properties = {"seed": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0}, "steps": steps}
    step = registry_schema(STEPS, {"spec": {"$ref": "#/$defs/spec"}})
    return {
        "$schema": _DIALECT,
        "title": "Recipe",
        "description": "What is done to a network, in order.",
        "type": "object",
        "properties": properties,
        "required": ["steps"],
        "additionalProperties": False,
        "$defs": {"step": step, "spec": _spec()},
    }


def _spec() -> JsonDict:
    limit = {"locked": {"type": ["boolean", "null"]}, "floor": _SHARE, "cap": _SHARE}
    parts = {
        "granularity": registry_schema(GRANULARITIES),
        "criterion": registry_schema(CRITERIA),
        "allocation": registry_schema(ALLOCATIONS),
        "limits": {
            "type": "object",
            "description": "By layer or group: at least floor and at most cap (shares) of its units go.",
            "additionalProperties": {"type": "object", "properties": limit, "additionalProperties": False},
        },
    }
    words = "Single weights of what the whole units leave: shares are of those that are left."
    alone = {"granularity": {"type": "object", "properties": {"key": {"const": "weight"}}, "required": ["key"]}}
    then = {"type": ["object", "null"], "description": words, "properties": {**parts, **alone}}
    properties = {**parts, "then": {**then, "additionalProperties": False}}
    return {"type": "object", "properties": properties, "additionalProperties": False}
