"""The cells of a scan before they are measured, and which of them are left out."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.analysis.sensitivity.cell import Cell
from explorer.types import PruningGroup


@dataclass(frozen=True)
class Place:
    """A cell before it is measured."""

    group: PruningGroup
    level: float
    n_pruned: int


class Stops:
    """Which groups have dropped too far, and from which level on."""

    def __init__(self, max_drop: float | None) -> None:
        self._max_drop = max_drop
        self._beyond: dict[str, float] = {}

    def note(self, cell: Cell) -> None:
        """Count this cell's drop."""
        if self._max_drop is not None and cell.complete and cell.drop.value > self._max_drop:
            self._beyond[cell.group] = min(cell.level, self._beyond.get(cell.group, 1.0))

    def allows(self, place: Place) -> bool:
        """Whether the cell there is not beyond a level that dropped too far."""
        return place.level <= self._beyond.get(place.group.name, 1.0)
