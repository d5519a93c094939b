"""What a request is compared with: itself under other seeds, pruning by chance, and plain magnitude."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, cast

from explorer.pruning import criteria
from explorer.pruning.spec import PruneSpec

RANDOM, MAGNITUDE = "random", "lp_norm"
NAMES = {RANDOM: "random", MAGNITUDE: "magnitude"}
_PARTS = ("granularity", "criterion", "allocation")


def draws_by_chance(spec: PruneSpec) -> bool:
    """Whether any part of the request has a seed."""
    return bool(_seeded(spec))


def with_seeds(spec: PruneSpec, seeds: Iterable[int]) -> tuple[PruneSpec, ...]:
    """The request once for each seed; once as it is where nothing of it draws by chance."""
    parts = _seeded(spec)
    if not parts:
        return (spec,)
    return tuple(
        replace(spec, **{part: replace(cast(Any, getattr(spec, part)), seed=seed) for part in parts}) for seed in seeds
    )


def controls_of(spec: PruneSpec) -> tuple[PruneSpec, ...]:
    """The same request by chance and by magnitude, as far as it is neither itself: what it must beat. They differ
    from it in the criterion alone.

    Source: the baselines that Blalock et al. 2020, arXiv:2003.03033, section 6, ask of every comparison.
    """
    keys = [key for key in (RANDOM, MAGNITUDE) if key != spec.criterion.key]
    return tuple(replace(spec, criterion=criteria.get(key)) for key in keys)


def _seeded(spec: PruneSpec) -> list[str]:
    return [part for part in _PARTS if "seed" in {f.name for f in fields(cast(Any, getattr(spec, part)))}]
