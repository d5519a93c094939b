"""How important is a unit? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.params import Registry
from explorer.pruning.criteria.apoz import Apoz
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.criteria.gradient import Gradient
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.criteria.random import Random
from explorer.pruning.criteria.wanda import Wanda

MEMBERS: tuple[type[Criterion], ...] = (LpNorm, Gradient, Wanda, Apoz, Random)
CRITERIA: Registry[Criterion] = Registry("criterion", MEMBERS)


def get(name_or_object: str | Criterion) -> Criterion:
    """A criterion from its object, its key, or text such as "key:name=value"."""
    return CRITERIA.get(name_or_object)
