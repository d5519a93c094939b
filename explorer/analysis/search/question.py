"""What a search is asked: the smallest within a drop, or the most accurate within a budget."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from explorer.errors import ExplorerError
from explorer.metrics.base import Metric
from explorer.params.numerals import real, short
from explorer.text.numbers import percent_asked, points_spelled, worse_by
from explorer.types.aliases import JsonDict

CostName = Literal["params", "macs", "size", "latency"]
COSTS: tuple[CostName, ...] = get_args(CostName)
WORDS: Mapping[CostName, str] = {
    "params": "parameters",
    "macs": "MACs",
    "size": "file size",
    "latency": "time of one pass",
}
UNITS: Mapping[CostName, str] = {"params": "parameters", "macs": "MAC", "size": "bytes", "latency": "milliseconds"}
_PLURAL: Mapping[CostName, str] = {**UNITS, "macs": "MACs"}
_LEAST: Mapping[CostName, str] = {
    "params": "the fewest parameters",
    "macs": "the fewest MACs",
    "size": "the smallest file",
    "latency": "the shortest time",
}
_SCALES = {"": 1.0, "%": 0.01, "ms": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "k": 1e3, "m": 1e6, "g": 1e9}
_SUFFIXES = {"params": ("", "%", "k", "m", "g"), "macs": ("", "%", "k", "m", "g"), "latency": ("", "%", "ms")}
_AMOUNT = re.compile(r"\s*([0-9]+\.?[0-9]*(?:e[-+]?[0-9]+)?|\.[0-9]+)\s*([a-z%]*)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """Exactly one of two questions about one ``cost``.

    With ``max_drop`` (a fraction of accuracy): the least cost within that drop. With ``limit``: the best accuracy
    at that cost or less; the limit is a share of the dense model, or an amount (parameters, MACs, bytes,
    milliseconds) where ``absolute`` says so. ``judged`` is the metric in the place of accuracy, ``unit`` that of the
    drop: how much worse that metric may become.
    """

    cost: CostName = "params"
    limit: float | None = None
    max_drop: float | None = None
    absolute: bool = False
    judged: str = "accuracy"
    unit: str = "fraction"

    def __post_init__(self) -> None:
        if self.cost not in COSTS:
            raise ExplorerError(f"There is no cost {self.cost!r}.", fix="Choose one of: " + ", ".join(COSTS) + ".")
        if (self.limit is None) == (self.max_drop is None):
            fix = "Give a largest drop (0.01 is one point), or a budget such as macs=0.5."
            raise ExplorerError("A search answers one question at a time.", fix=fix)
        most = 1.0 if self.unit == "fraction" else math.inf
        if self.max_drop is not None and not (0.0 <= self.max_drop <= most and math.isfinite(self.max_drop)):
            raise ExplorerError(f"A drop of {self.max_drop:g} is not possible.", fix="Give a share from 0 to 1.")
        if self.max_drop is not None and self.cost == "latency":
            why = "Smallest is a counted size; a time differs from one measurement to the next."
            raise ExplorerError("The smallest model is not sought by time.", why=why, fix="Give latency a budget.")
        top = math.inf if self.absolute else 1.0
        if self.limit is not None and not 0.0 < self.limit <= top:
            fix = f"Give a share of the dense model (0.5), or an amount in {UNITS[self.cost]}."
            raise ExplorerError(f"{self.limit:g} is no budget.", fix=fix)

    @classmethod
    def of(
        cls, max_drop: float | None = None, budget: Asked = None, cost: str = "params", metric: Metric | None = None
    ) -> Question:
        """The question from what a caller may say: ``budget`` as ``"macs=0.5"``, ``{"macs": 0.5}`` or a question.

        ``metric`` takes the place of accuracy.
        """
        if isinstance(budget, Question):
            return budget.by(metric)
        judged, unit = (cls.judged, cls.unit) if metric is None else (metric.label, metric.unit)
        if isinstance(budget, Mapping):
            if len(budget) != 1:
                raise ExplorerError("A budget names one cost.", fix='Write it as {"macs": 0.5}.')
            budget = "".join(f"{name}={_written(value)}" for name, value in budget.items())
        if budget is None:
            return cls(cast(CostName, cost), max_drop=max_drop, judged=judged, unit=unit)
        name, _, text = budget.partition("=")
        cost_name = _cost(name)
        amount, absolute = _amount(cost_name, text)
        return cls(cost_name, amount, max_drop, absolute, judged, unit)

    def by(self, metric: Metric | None) -> Question:
        """The same question of a metric that takes the place of accuracy; None: as it is."""
        return self if metric is None else replace(self, judged=metric.label, unit=metric.unit)

    def ceiling(self, dense: float) -> float | None:
        """The largest cost allowed, in the unit of ``dense``; None where a drop is the limit."""
        if self.limit is None:
            return None
        return self.limit if self.absolute else self.limit * dense

    @property
    def words(self) -> str:
        """The cost in words: parameters, MACs, file size, time of one pass."""
        return WORDS[self.cost]

    def to_json(self) -> JsonDict:
        """A JSON-able object."""
        plain = {"cost": self.cost, "limit": self.limit, "max_drop": self.max_drop, "absolute": self.absolute}
        usual = self.judged == Question.judged and self.unit == Question.unit
        return plain if usual else plain | {"judged": self.judged, "unit": self.unit}

    def __str__(self) -> str:
        if self.max_drop is not None:
            return f"{_LEAST[self.cost]} for {self._drop(self.max_drop)}"
        if self.absolute:
            return f"the best {self.judged} with at most {self.limit:,g} {_PLURAL[self.cost]}"
        return f"the best {self.judged} with at most {percent_asked(self.limit or 0.0)} of the dense {WORDS[self.cost]}"

    def _drop(self, most: float) -> str:
        if self.judged == Question.judged:
            return f"a drop of at most {points_spelled(most)}"
        return f"a {self.judged} that is worse by at most {worse_by(most, self.unit)}"


Asked = str | Mapping[str, float] | Question | None
"""How a budget may be said."""


def _written(value: object) -> str:
    try:
        return repr(real(value))
    except ValueError:
        return short(value)


def _cost(name: str) -> CostName:
    name = {"parameters": "params", "mac": "macs", "bytes": "size", "time": "latency"}.get(name.strip(), name.strip())
    if name not in COSTS:
        fix = "Write it as params=0.2, macs=0.5, size=100kB or latency=0.7."
        raise ExplorerError(f"A budget of {name!r} is not known.", fix=fix)
    return name


def _amount(cost: CostName, text: str) -> tuple[float, bool]:
    """A number with an optional unit -> (amount, whether it is no share)."""
    match = _AMOUNT.fullmatch(text)
    try:
        if match is None or match[2].lower() not in _SUFFIXES.get(cost, ("", "%", "b", "kb", "mb", "gb")):
            raise ValueError
        number, suffix = real(match[1]), match[2].lower()
    except ValueError:
        fix = f"Write {cost}=0.5 (half of the dense model), {cost}=50% or an amount in {UNITS[cost]}."
        raise ExplorerError(f"{short(text)} is no amount of {WORDS[cost]}.", fix=fix) from None
    value = number * _SCALES[suffix]
    return value, suffix not in ("", "%") or (suffix == "" and value > 1.0)
