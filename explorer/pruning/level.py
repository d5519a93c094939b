"""The overall sparsity of a request: read, and set to another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from explorer.errors import ExplorerError
from explorer.params import params_of
from explorer.pruning.spec import PruneSpec


def is_one_level(allocation: object) -> bool:
    """Whether one overall sparsity says all that an allocation (or its class) prunes, without shares of layers."""
    parameters = params_of(allocation)
    return any(p.name == "sparsity" for p in parameters) and not any(p.is_mapping for p in parameters)


def with_sparsity(spec: PruneSpec, sparsity: float) -> PruneSpec:
    """The same request at another overall sparsity (0 to 1).

    Raises ExplorerError for other numbers, and where the allocation has no overall sparsity.
    """
    sparsity_of(spec)
    if not 0.0 <= sparsity <= 1.0:
        raise ExplorerError(f"A sparsity of {sparsity:g} is not possible.", fix="Give shares from 0 to 1.")
    allocation: Any = spec.allocation
    return replace(spec, allocation=replace(allocation, sparsity=float(sparsity)))


def sparsity_of(spec: PruneSpec) -> float:
    """The overall sparsity (0 to 1) that a request asks for. Raises ExplorerError where it has none."""
    if all(p.name != "sparsity" for p in params_of(spec.allocation)):
        raise ExplorerError(
            f"The allocation {spec.allocation.key!r} has no overall sparsity that could change.",
            fix="Choose uniform or global.",
        )
    return float(getattr(spec.allocation, "sparsity"))  # noqa: B009 - not every allocation has one
