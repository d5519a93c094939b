"""One declaration of a parameter feeds its slider, its flag, its JSON and its help.

A *member* is a frozen dataclass with a ``key``: a criterion, a granularity, an
allocation, ... Its fields are made by :func:`param`. A :class:`Registry` is the
explicit tuple of the members of one kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from math import inf
from typing import Any, Generic, TypeVar, cast

from explorer.errors import ExplorerError
from explorer.params.numerals import real, short, whole
from explorer.params.plugins import plugin_members, why_left_out
from explorer.types.aliases import JsonDict

M = TypeVar("M")


@dataclass(frozen=True)
class Param:
    """What is known about one field of a member."""

    name: str
    default: Any
    label: str
    low: float | None
    high: float | None
    help: str
    choices: tuple[str, ...]
    is_mapping: bool
    parse: Callable[[Any], Any] | None = None

    @property
    def required(self) -> bool:
        return self.default is MISSING

    @property
    def type(self) -> str:
        """The kind of value in words."""
        if self.parse is not None:
            return "JSON"
        if self.is_mapping:
            return "number for each name"
        if self.choices:
            return "choice"
        names = {bool: "true or false", str: "text", int: "whole number"}
        return names.get(type(self.default), "number")

    @property
    def range(self) -> str:
        """The values it takes in words, where they are limited: "0 to 1", "from 8 on", "adamw or sgd"."""
        if self.choices:
            *others, last = self.choices
            return f"{', '.join(others)} or {last}" if others else last
        if self.low is not None and self.high is not None:
            return f"{_bound(self.low)} to {_bound(self.high)}"
        if self.low is not None:
            return f"from {_bound(self.low)} on"
        return "" if self.high is None else f"up to {_bound(self.high)}"


def _bound(end: float) -> str:
    return f"{end:,}" if isinstance(end, int) else f"{end:g}"


def param(
    default: object = MISSING,
    label: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    help: str = "",
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a dataclass field with what a widget or a flag must know about it."""
    return field(
        default=default,
        metadata={"label": label, "low": low, "high": high, "help": help, "choices": choices},
    )


def mapping_param(label: str = "", *, low: float | None = None, high: float | None = None, help: str = "") -> Any:
    """Declare a field ``{name: number}``, kept as sorted pairs so that it stays hashable."""
    return field(
        default=(),
        metadata={"label": label, "low": low, "high": high, "help": help, "choices": (), "mapping": True},
    )


def nested_param(
    parse: Callable[[Any], Any], label: str = "", *, default_factory: Any = MISSING, help: str = ""
) -> Any:
    """Declare a field whose value has a ``to_json()`` of its own; ``parse`` is the way back, and checks it."""
    metadata = {"label": label, "low": None, "high": None, "help": help, "choices": (), "parse": parse}
    if default_factory is MISSING:
        return field(metadata=metadata)
    return field(default_factory=default_factory, metadata=metadata)


def params_of(member: Any) -> tuple[Param, ...]:
    """The parameters of a member (class or object), in declaration order."""
    return tuple(
        Param(
            name=f.name,
            default=f.default,
            label=f.metadata.get("label") or f.name,
            low=f.metadata.get("low"),
            high=f.metadata.get("high"),
            help=f.metadata.get("help", ""),
            choices=f.metadata.get("choices", ()),
            is_mapping=bool(f.metadata.get("mapping")),
            parse=f.metadata.get("parse"),
        )
        for f in fields(member)
    )


def param_of(member: object, name: str) -> Param:
    """One parameter of a member (class or object) by its name."""
    return next(p for p in params_of(member) if p.name == name)


def member_to_json(member: Any) -> JsonDict:
    """``{"key": ..., field: value, ...}``; mappings become JSON objects."""
    out: JsonDict = {"key": member.key}
    for p in params_of(member):
        value = getattr(member, p.name)
        out[p.name] = value.to_json() if p.parse else dict(value) if p.is_mapping else value
    return out


def _checked(kind: str, key: str, p: Param, value: object) -> Any:
    if p.parse is not None:
        return p.parse(value)
    if p.is_mapping:
        if not isinstance(value, Mapping):
            raise _bad(kind, key, p, value, "an object of name: number")
        return tuple(sorted((str(name), _number(kind, key, p, v)) for name, v in value.items()))
    if p.choices:
        if value not in p.choices:
            raise _bad(kind, key, p, value, "one of " + ", ".join(p.choices))
        return value
    if isinstance(p.default, bool):
        if str(value).lower() not in ("true", "false", "1", "0"):
            raise _bad(kind, key, p, value, "true or false")
        return str(value).lower() in ("true", "1")
    if isinstance(p.default, str):
        return str(value)
    return _number(kind, key, p, value)


def _number(kind: str, key: str, p: Param, value: object) -> float:
    bounds = [f"{word} {end:g}" for word, end in (("at least", p.low), ("at most", p.high)) if end is not None]
    kind_of_number = "a number, " + " and ".join(bounds) if bounds else "a number"
    low, high = -inf if p.low is None else p.low, inf if p.high is None else p.high
    try:
        number = real(value, low, high)
    except ValueError:
        raise _bad(kind, key, p, value, kind_of_number) from None
    if not isinstance(p.default, int):
        return number
    try:
        return whole(value if isinstance(value, int) else number, -(2**63), 2**64 - 1)  # what a generator takes
    except ValueError:
        raise _bad(kind, key, p, value, "a whole number") from None


def _bad(kind: str, key: str, p: Param, value: object, expected: str) -> ExplorerError:
    return ExplorerError(
        f"{p.name} = {short(value)} does not suit the {kind} {key!r}.",
        why=f"It must be {expected}.",
        fix=f"Give {p.name} another value.",
    )


class Registry(Generic[M]):
    """The members of one kind, found by key, by object, by text or by JSON."""

    def __init__(self, kind: str, members: tuple[type[M], ...]) -> None:
        self.kind = kind
        self._own: dict[str, type[M]] = {cast(Any, m).key: m for m in members}

    @cached_property
    def members(self) -> dict[str, type[M]]:
        """Every member by its key: our own, then those of installed plug-ins."""
        # Not before somebody asks: a plug-in imports from this package, which must be complete by then.
        return {**self._own, **dict(plugin_members(self.kind, self._own, _common_base(self._own.values())))}

    def __iter__(self) -> Iterator[type[M]]:
        return iter(self.members.values())

    def member(self, key: str) -> type[M]:
        if key not in self.members:
            raise ExplorerError(
                f"There is no {self.kind} called {key!r}.",
                why=why_left_out(self.kind, key, self._own, _common_base(self._own.values())),
                fix="Choose one of: " + ", ".join(self.members) + ".",
            )
        return self.members[key]

    def get(self, name_or_object: str | M, **values: object) -> M:
        """A member from its object, its key, or text such as ``"lp_norm:p=1"``."""
        if not isinstance(name_or_object, str):
            return name_or_object
        key, _, text = name_or_object.partition(":")
        pairs = dict(pair.partition("=")[::2] for pair in text.split(",") if pair)
        return self.from_json({"key": key, **pairs, **values})

    def from_json(self, data: object) -> M:
        """The inverse of :func:`member_to_json`; every value is checked."""
        if not isinstance(data, Mapping) or not isinstance(data.get("key"), str):
            first = next(iter(self.members))
            raise ExplorerError(f"A {self.kind} needs a key.", fix=f'Write it as {{"key": "{first}"}}.')
        cls = self.member(data["key"])
        declared = {p.name: p for p in params_of(cls)}
        unknown = [name for name in data if name != "key" and name not in declared]
        if unknown:
            raise ExplorerError(
                f"The {self.kind} {data['key']!r} has no parameter {unknown[0]!r}.",
                fix="Its parameters: " + (", ".join(declared) or "none") + ".",
            )
        missing = [p.name for p in declared.values() if p.required and p.name not in data]
        if missing:
            what = f"The {self.kind} {data['key']!r} needs {missing[0]!r}."
            raise ExplorerError(what, fix=f"Add {missing[0]}=VALUE.")
        values = {k: _checked(self.kind, data["key"], declared[k], v) for k, v in data.items() if k != "key"}
        return cls(**values)


def _common_base(members: Iterable[type]) -> type:
    """The nearest class that all of them derive from."""
    first, *others = members
    return next(base for base in first.__mro__[1:] if all(base in other.__mro__ for other in others))
