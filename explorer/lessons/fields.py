"""The values of a lesson's front matter and blocks, each read and checked; mistakes are sentences with their line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class Place:
    """Where something stands in a lesson."""

    lesson: str
    line: int

    def error(self, what: str, fix: str, why: str = "") -> ExplorerError:
        """A refusal that says where."""
        return ExplorerError(f"Lesson {self.lesson}, line {self.line}: {what}", why=why, fix=fix)


class Fields:
    """What a piece of TOML says; every value must be asked for."""

    def __init__(self, values: JsonObject, place: Place, what: str) -> None:
        self._values, self._place, self._what = dict(values), place, what

    @classmethod
    def of(cls, text: str, place: Place, what: str) -> Fields:
        """Of a text. Raises ExplorerError for what is not TOML."""
        try:
            return cls(tomllib.loads(text), place, what)
        except (ValueError, RecursionError) as error:  # a whole number of 5,000 digits is no TOMLDecodeError
            raise place.error(f"{what} cannot be read.", 'Write it as TOML: name = "value".', f"{error}.") from None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self._place

    def text(self, name: str, default: str | None = None) -> str:
        """A text; one that must be there may not be empty."""
        value = self._values.pop(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self._missing(name, "a text in quotation marks")
        return value.strip()

    def number(self, name: str, default: float | None = None) -> float:
        """A number."""
        value = self._values.pop(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._missing(name, "a number")
        return float(value)

    def one_of(self, name: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of the choices."""
        value = self.text(name, default)
        if value not in choices:
            raise self._missing(name, f"one of: {', '.join(choices)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        value = self._values.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._missing(name, "a list of texts")
        return tuple(value)

    def numbers(self, name: str) -> tuple[float, ...]:
        """A list of numbers; empty where there is none."""
        value = self._values.pop(name, [])
        if not isinstance(value, list) or any(isinstance(e, bool) or not isinstance(e, int | float) for e in value):
            raise self._missing(name, "a list of numbers")
        return tuple(float(each) for each in value)

    def tables(self, name: str) -> tuple[Fields, ...]:
        """A list of tables, each with fields of its own; at least one."""
        value = self._values.pop(name, [])
        if not isinstance(value, list) or not value or not all(isinstance(each, Mapping) for each in value):
            raise self._missing(name, f"at least one [[{name}]]")
        return tuple(Fields(each, self._place, f"A {name} of {self._what}") for each in value)

    def rest(self) -> dict[str, object]:
        """Everything that is left, as it is."""
        values, self._values = self._values, {}
        return values

    def end(self) -> None:
        """Refuse what nobody asked for."""
        if self._values:
            name = sorted(self._values)[0]
            raise self._place.error(f"{self._what} has no field {name!r}.", "Take it out, or correct its name.")

    def _missing(self, name: str, what: str) -> ExplorerError:
        return self._place.error(f"{self._what} needs {name!r}.", f"Give it {what}.")
