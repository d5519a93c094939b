"""The JSON Schema of a policy, from the same declarations as its flags and its TOML."""

from __future__ import annotations

from explorer.analysis.check import CHECKS
from explorer.analysis.check.base import CheckRule
from explorer.params.schema import member_schema
from explorer.types.aliases import JsonDict


def policy_schema() -> JsonDict:
    """What a policy says of each check: a table of its limits, or true or false; what is left out has its default."""
    return {
        "title": "CheckPolicy",
        "description": "Which checks are made before a model is deployed, and how strict each is.",
        "type": "object",
        "properties": {rule.key: _rule(rule) for rule in CHECKS},
        "additionalProperties": False,
    }


def _rule(rule: type[CheckRule]) -> JsonDict:
    limits = member_schema(rule, {})
    properties = {name: schema for name, schema in limits["properties"].items() if name != "key"}
    table = {"type": "object", "properties": properties, "additionalProperties": False}
    return {"title": rule.label, "description": rule.question, "oneOf": [table, {"type": "boolean"}]}
