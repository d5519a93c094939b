"""The parts of a request: each is read and checked by one function, from Python and from JSON alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, field
from typing import Any, TypeVar

from explorer.errors import ExplorerError
from explorer.params import member_to_json
from explorer.params.numerals import short
from explorer.pruning.spec import PruneSpec

T = TypeVar("T")
Read = Callable[[object], T]
"""Turns what a caller or a JSON object gives into the value of a part; raises ExplorerError."""


def part(read: Read[object], default: object = MISSING, *, in_key: bool = True) -> Any:
    """Declare a field of a request. One that is not ``in_key`` (a label) makes no other work of it."""
    if default is MISSING:
        return field(metadata={"read": read}, compare=in_key)
    return field(default=default, metadata={"read": read}, compare=in_key)


def as_json(value: object) -> object:
    """The value of a part as JSON."""
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if hasattr(value, "to_json"):
        return value.to_json()
    return member_to_json(value) if hasattr(value, "key") else value


def spec(value: object) -> PruneSpec:
    """A pruning request, or its JSON; None prunes nothing."""
    if value is None or isinstance(value, PruneSpec):
        return value or PruneSpec()
    if not isinstance(value, str | Mapping):
        raise ExplorerError(f"{value!r} is no PruneSpec.", fix="Give a PruneSpec, or its JSON.")
    return PruneSpec.from_json(value)


def text(value: object) -> str:
    """One line of text."""
    return str(value)


def optional(read: Read[T]) -> Read[T | None]:
    """The same part, or None."""
    return lambda value: None if value is None else read(value)


def number(low: float = -math.inf, high: float = math.inf) -> Read[float]:
    """A finite number from ``low`` to ``high``."""

    def read(value: object) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            number = float(value) if isinstance(value, int | float) else math.nan
        except OverflowError:  # a whole number of 400 digits
            number = math.inf
        if not is_number or not math.isfinite(number) or not low <= number <= high:
            raise ExplorerError(f"{short(value)} does not suit.", fix=f"Give a number {_between(low, high)}.")
        return number

    return read


def whole(low: int, high: int = 2**31 - 1) -> Read[int]:
    """A whole number from ``low`` to ``high``."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ExplorerError(f"{value!r} does not suit.", fix=f"Give a whole number {_between(low, high)}.")
        return value

    return read


def one_of(choices: Sequence[str]) -> Read[str]:
    """One of the choices."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ExplorerError(f"There is no {value!r} here.", fix=f"Choose one of: {', '.join(choices)}.")
        return value

    return read


def several(read: Read[T]) -> Read[tuple[T, ...]]:
    """A list of such parts, in the order given."""

    def read_all(value: object) -> tuple[T, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ExplorerError(f"{value!r} is no list.", fix="Give values as a list.")
        return tuple(read(item) for item in value)

    return read_all


def _between(low: float, high: float) -> str:
    if low == -math.inf:
        return "that is finite"
    return f"from {low:g} on" if high in (math.inf, 2**31 - 1) else f"from {low:g} to {high:g}"
