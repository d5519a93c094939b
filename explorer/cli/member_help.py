"""What ``--criterion taylor:?`` prints: the parameters of one member, or all members of a kind."""

from __future__ import annotations

import inspect
from importlib import import_module

from explorer.cli import printing
from explorer.cli.flags.members import REGISTRIES
from explorer.params import Param, Registry, params_of


def registry_of(kind: str) -> Registry[object]:
    """The registry of the members of ``kind``."""
    package, name = REGISTRIES[kind]
    registry: Registry[object] = getattr(import_module(package), name)
    return registry


def lines(kind: str, key: str) -> list[str]:
    """The parameters of one member as a table; without a ``key`` every member in a line."""
    registry = registry_of(kind)
    if not key:
        rows = [(name, _label(member), _summary(member)) for name, member in registry.members.items()]
        return printing.table((kind, "label", "what it does"), rows, left=3)
    member = registry.member(key)
    title = [f"{kind} {key}: {_label(member)}", _summary(member), ""]
    parameters = params_of(member)
    if not parameters:
        return [*title, "It has no parameters."]
    head = ("parameter", "type", "range", "default", "label", "help")
    return [*title, *printing.table(head, map(_row, parameters), left=len(head))]


def _row(parameter: Param) -> tuple[str, ...]:
    default = "must be given" if parameter.required else _text(parameter.default)
    return (parameter.name, parameter.type, parameter.range, default, parameter.label, parameter.help)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else "none" if value in ("", ()) else str(value)


def _label(member: type) -> str:
    return str(getattr(member, "label", "") or member.__name__)


def _summary(member: type) -> str:
    """The first sentence of its description, on one line."""
    return " ".join((inspect.getdoc(member) or "").split("\n\n")[0].split())
