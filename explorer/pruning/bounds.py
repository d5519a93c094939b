"""How many units of a group may go: by its locks and limits, and by what its units are."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.pruning.allocation import Bounds
from explorer.pruning.spec import PruneSpec
from explorer.types import PruningGroup


def bounds_of(groups: Iterable[PruningGroup], spec: PruneSpec) -> dict[str, Bounds]:
    """The least and the most that may go, by group; groups that cannot be moved have none."""
    return {group.name: _bounds(group, spec) for group in groups if group.why_not is None}


def is_locked(group: PruningGroup, spec: PruneSpec) -> bool:
    """Whether the group's line is held: by the user, or by default and the user did not unlock it."""
    locked = spec.limit(group.name).locked
    return group.locked_by is not None if locked is None else locked


def _bounds(group: PruningGroup, spec: PruneSpec) -> Bounds:
    limit = spec.limit(group.name)
    low = round(limit.floor * group.n_units)
    if is_locked(group, spec):
        return Bounds(low, low)
    high = min(int(limit.cap * group.n_units + 1e-9), group.n_may_go)
    return Bounds(min(low, high), high)
