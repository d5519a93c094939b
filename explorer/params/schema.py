"""JSON Schemas of members, from the same declarations as their flags, sliders and help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from explorer.params import Param, Registry, params_of
from explorer.types.aliases import JsonDict


def registry_schema(registry: Registry[Any], nested: Mapping[str, JsonDict] | None = None) -> JsonDict:
    """One of the registry's members as JSON. ``nested``: the schema of a field that has a JSON of its own, by name."""
    return {"oneOf": [member_schema(member, nested or {}) for member in registry]}


def member_schema(member: Any, nested: Mapping[str, JsonDict]) -> JsonDict:
    """A member (a class) as JSON: its key, and each parameter with its kind, bounds and default."""
    declared = params_of(member)
    summary = (member.__doc__ or "").split("\n")[0]
    properties = {"key": {"const": member.key}} | {p.name: _property(p, nested) for p in declared}
    required = ["key", *(p.name for p in declared if p.required)]
    shape = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"title": member.key, "description": summary, **shape}


def _property(p: Param, nested: Mapping[str, JsonDict]) -> JsonDict:
    if p.parse is not None:
        return nested[p.name]
    about: JsonDict = {"title": p.label} | ({"description": p.help} if p.help else {})
    if p.is_mapping:
        return {**about, "type": "object", "additionalProperties": {"type": "number", **_bounds(p)}}
    if p.default is not MISSING:
        about["default"] = p.default
    if p.choices:
        return {**about, "enum": list(p.choices)}
    kind = {bool: "boolean", str: "string", int: "integer"}.get(type(p.default), "number")
    return {**about, "type": kind, **(_bounds(p) if kind in ("integer", "number") else {})}


def _bounds(p: Param) -> JsonDict:
    ends = (("minimum", p.low), ("maximum", p.high))
    return {word: end for word, end in ends if end is not None}
