"""How many units from each layer? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.params import Registry
from explorer.pruning.allocation.base import Allocation, Bounds
from explorer.pruning.allocation.erk import Erk
from explorer.pruning.allocation.global_ import Global
from explorer.pruning.allocation.owl import Owl
from explorer.pruning.allocation.per_layer import PerLayer
from explorer.pruning.allocation.sensitivity import BySensitivity
from explorer.pruning.allocation.threshold import Threshold
from explorer.pruning.allocation.uniform import Uniform

__all__ = [
    "ALLOCATIONS",
    "Allocation",
    "Bounds",
    "BySensitivity",
    "Erk",
    "Global",
    "Owl",
    "PerLayer",
    "Threshold",
    "Uniform",
    "get",
]

MEMBERS: tuple[type[Allocation], ...] = (Uniform, Global, PerLayer, Threshold, Erk, Owl, BySensitivity)
ALLOCATIONS: Registry[Allocation] = Registry("allocation", MEMBERS)


def get(name_or_object: str | Allocation, **values: float) -> Allocation:
    """An allocation from its object, its key, or text such as "key:name=value"."""
    return ALLOCATIONS.get(name_or_object, **values)
