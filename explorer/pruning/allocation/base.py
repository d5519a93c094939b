"""What every allocation offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from explorer.types import Scores


@dataclass(frozen=True)
class Bounds:
    """How many units of one group may go: at least ``low``, at most ``high``."""

    low: int
    high: int

    def clamp(self, n: int) -> int:
        return min(max(n, self.low), self.high)


@runtime_checkable
class Allocation(Protocol):
    """How many units go from each layer?"""

    key: ClassVar[str]
    label: ClassVar[str]

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        """Units to prune by group before limits are applied; says what was asked."""
        ...

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        """Units to prune by group, within ``bounds``; the sum is what was asked wherever that is possible."""
        ...


def clamped(counts: Mapping[str, int], bounds: Mapping[str, Bounds]) -> dict[str, int]:
    """Each count moved to the nearest one its group allows."""
    return {name: bounds[name].clamp(n) for name, n in counts.items()}
