"""Ways to say how much goes with one number: allocations at a sparsity, and the fronts of a scan's curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from explorer.analysis.search.front import Front, Option, front
from explorer.pruning.allocation import PerLayer
from explorer.pruning.allocation.curves import Curve
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Plan, Scores

_HALVINGS = 14


@dataclass(frozen=True, eq=False)
class Planner:
    """Plans by one global order of a model's units, and what each costs (counted)."""

    model: LoadedModel
    data: Dataset
    spec: PruneSpec
    scores: Scores
    counted: Callable[[Plan], float]

    def plan(self, spec: PruneSpec) -> Plan:
        """The masks of a request that ranks units as this planner does."""
        return make_plan(self.model, spec, self.scores, self.data)

    def cost(self, spec: PruneSpec) -> float:
        """The counted cost of a request."""
        return self.counted(self.plan(spec))

    def of_shares(self, shares: Mapping[str, float]) -> PruneSpec:
        """The request with a share for each group; groups that are not named keep their floor."""
        return replace(self.spec, allocation=PerLayer(0.0, tuple(sorted(shares.items()))))

    @property
    def most(self) -> PruneSpec:
        """Everything goes that may."""
        return replace(self.spec, allocation=PerLayer(1.0))


class Family(Protocol):
    """Requests from dense to nearly empty."""

    @property
    def name(self) -> str:
        """Where its plans come from, as in ``Tried.by``."""
        ...

    @property
    def planner(self) -> Planner:
        """What ranks its units."""
        ...

    def at(self, ceiling: float) -> PruneSpec | None:
        """The request that prunes least at a counted cost of ``ceiling`` or less; None where none costs so little."""
        ...


@dataclass(frozen=True, eq=False)
class OfAllocation:
    """An allocation with an overall sparsity."""

    name: str
    planner: Planner
    spec: PruneSpec

    def at(self, ceiling: float) -> PruneSpec | None:
        def request_at(sparsity: float) -> PruneSpec:
            return with_sparsity(self.spec, sparsity)

        return _least(request_at, self.planner, ceiling)


@dataclass(frozen=True, eq=False)
class OfFront:
    """The best combinations of a scan's curves, and what lies between two neighbours."""

    name: str
    planner: Planner
    front: Front

    def at(self, ceiling: float) -> PruneSpec | None:
        low, high = 0, len(self.front) - 1
        if self.planner.cost(self.planner.of_shares(self.front.shares(high))) > ceiling:
            return None
        while low < high:
            middle = (low + high) // 2
            spec = self.planner.of_shares(self.front.shares(middle))
            low, high = (low, middle) if self.planner.cost(spec) <= ceiling else (middle + 1, high)
        return between(self.planner, self.front.shares(max(0, high - 1)), self.front.shares(high), ceiling)


def between(planner: Planner, less: Mapping[str, float], more: Mapping[str, float], ceiling: float) -> PruneSpec | None:
    """The first request on the way from one set of shares to another that costs no more than ``ceiling``."""

    def request_at(part: float) -> PruneSpec:
        return planner.of_shares(
            {name: less.get(name, 0.0) + part * (s - less.get(name, 0.0)) for name, s in more.items()}
        )

    return _least(request_at, planner, ceiling)


def _least(request_of: Callable[[float], PruneSpec], planner: Planner, ceiling: float) -> PruneSpec | None:
    """The smallest number from 0 to 1 whose request costs no more than ``ceiling``, found by halving."""
    if planner.cost(request_of(0.0)) <= ceiling:
        return request_of(0.0)
    if planner.cost(request_of(1.0)) > ceiling:
        return None
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if planner.cost(request_of(middle)) <= ceiling else (middle, high)
    return request_of(high)


def savings(planner: Planner, shares: Mapping[str, Sequence[float]]) -> dict[str, dict[float, float]]:
    """What each group alone saves at each share, counted on its own plan: {group: {share reached: saving}}.

    Shares that a lock, a floor or a cap turns into the same count are one.
    """
    base = planner.plan(planner.of_shares({}))
    dense, floors = planner.counted(base), {k.group.name: k.sparsity for k in base.groups}
    saved: dict[str, dict[float, float]] = {}
    for name, levels in shares.items():
        saved[name] = {floors[name]: 0.0}
        for share in sorted(levels):
            plan = planner.plan(planner.of_shares({name: share}))
            reached = next(k.sparsity for k in plan.groups if k.group.name == name)
            saved[name][reached] = dense - planner.counted(plan)
    return saved


def front_of(
    losses: Mapping[str, Mapping[float, float]],
    curves: Mapping[str, Curve],
    *,
    power: float = 1.0,
    between_levels: int = 0,
) -> Front:
    """The front of a scan's curves: harm is the curve's cost to ``power``.

    A power above 1 spreads the harm over many layers, one below 1 lets few layers bear it.
    ``between_levels``: how many shares between two measured ones are choices too, by straight lines.
    """
    tables = {}
    for name, points in losses.items():
        least = curves[name].cost(min(points)) ** power
        tables[name] = [
            Option(share, saving, max(0.0, curves[name].cost(share) ** power - least))
            for share, saving in _finer(sorted(points.items()), between_levels)
        ]
    return front(tables)


def _finer(points: Sequence[tuple[float, float]], n: int) -> list[tuple[float, float]]:
    finer = list(points[:1])
    for (x0, y0), (x1, y1) in pairwise(points):
        finer += [(x0 + (x1 - x0) * i / (n + 1), y0 + (y1 - y0) * i / (n + 1)) for i in range(1, n + 2)]
    return finer
