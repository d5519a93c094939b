"""Results that say what they are in one line, and that a notebook draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sized
from dataclasses import fields
from importlib import import_module
from typing import Any

from explorer.types.aliases import JsonDict

LONGEST = 240  # characters of a whole repr
_LONGEST_PART = 48


class Brief:
    """A dataclass whose ``repr`` is one short line: large parts are said by their size, the last may be left out.

    Give ``@dataclass(repr=False)`` with it, or the long one is made all the same.
    """

    def __repr__(self) -> str:
        name, parts = type(self).__name__, ""
        for key, value in self._in_brief().items():
            part = f"{', ' if parts else ''}{key}={brief(value)}"
            if len(name) + len(parts) + len(part) > LONGEST - 5:
                parts += ", …"
                break
            parts += part
        return f"{name}({parts})"

    def _in_brief(self) -> Mapping[str, object]:
        """What is named, by its name; every field unless a class says otherwise."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.repr}  # type: ignore[arg-type]


class Shown(Brief):
    """A result that draws itself where a notebook asks: a chart, a short table, one line of text."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> JsonDict:
        # What draws stands far above what is drawn, and only a notebook asks for it: so it is called by its name.
        drawn: JsonDict = import_module("explorer.notebook.shown").mimebundle(self)
        return drawn


def brief(value: Any) -> str:
    """One value in a few characters: tensors by their shape, what is long by how much it holds."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__.lower()}{tuple(value.shape)}"
    if hasattr(value, "named_parameters"):
        return f"<{type(value).__name__}>"  # a network writes out all its layers
    if isinstance(value, float):
        return f"{value:.6g}"
    text = "" if isinstance(value, Collection) and len(value) > _LONGEST_PART else _one_line(value)
    if text and len(text) <= _LONGEST_PART:
        return text
    if isinstance(value, str):
        return _one_line(f"{value[:_LONGEST_PART]}…")
    if isinstance(value, Sized):
        return f"<{len(value):,} in a {type(value).__name__}>"
    return f"<{type(value).__name__}>"


def _one_line(value: object) -> str:
    return " ".join(repr(value).split())
