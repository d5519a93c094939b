"""The plans that a search has measured so far, and what they teach about those to come."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from statistics import median

from explorer.analysis.search.costs import SearchCost
from explorer.analysis.search.families import Planner
from explorer.analysis.search.question import Question
from explorer.analysis.search.result import DENSE, Tried
from explorer.analysis.tradeoff import point
from explorer.engine.evaluator import Evaluator
from explorer.pruning.allocation.curves import Curve
from explorer.pruning.spec import PruneSpec
from explorer.types import Measurement, Plan

_LEAST_FACTOR, _MOST_FACTOR = 0.05, 20.0
_RECENT = 7


class Trials:
    """Measures plans, each once, until ``left`` is used up.

    ``curves`` are the single drops of ``own``'s ranking; plans of another ranking have no prediction.
    """

    def __init__(
        self,
        question: Question,
        costs: SearchCost,
        evaluator: Evaluator,
        own: Planner,
        curves: Mapping[str, Curve],
        n: int,
    ) -> None:
        self.left = n
        self._question, self._costs, self._evaluator = question, costs, evaluator
        self._own, self._curves = own, curves
        self._tried: dict[str, Tried] = {}
        self._pairs: list[tuple[float, float]] = []  # sum of single drops, joint drop

    @property
    def best(self) -> Tried:
        """The best answer so far."""
        return min(self._tried.values(), key=lambda t: t.rank)

    def best_own(self, n: int) -> list[Tried]:
        """The best ``n`` plans of the ranking that was asked for."""
        own = (t for t in self._tried.values() if t.spec.criterion == self._own.spec.criterion)
        return sorted(own, key=lambda t: t.rank)[:n]

    def measure(self, by: str, planner: Planner, spec: PruneSpec) -> Generator[Tried, None, Tried | None]:
        """Measure a plan and yield it, or find that it was measured; gives it, or None when no more may be tried."""
        plan = planner.plan(spec)
        key = f"{plan.digest} {planner.spec.criterion}"
        if key in self._tried:
            return self._tried[key]
        if not self.left:
            return None
        self.left -= by != DENSE
        measured = point(planner.model, spec, plan, self._evaluator.final(plan), self._costs.table)
        total = self._sum(planner, plan)
        predicted = None if total is None else self._predicted(total)
        shares = tuple((k.group.name, k.sparsity) for k in plan.groups if k.group.why_not is None)
        tried = Tried(self._question, by, measured, self._costs.of(plan), self._costs.dense, predicted, shares)
        if total:
            self._pairs.append((total, measured.drop.value))
        self._tried[key] = tried
        yield tried
        return tried

    def _sum(self, planner: Planner, plan: Plan) -> float | None:
        """The sum of the plan's single drops; None where one is not known."""
        moved = {k.group.name: k.sparsity for k in plan.groups if k.n_pruned}
        if planner is not self._own or not set(moved) <= set(self._curves):
            return None
        return sum(self._curves[name].cost(share) for name, share in moved.items())

    def _predicted(self, total: float) -> Measurement:
        """The sum, as much larger or smaller as the joint drops of the plans just before were (their median)."""
        note, factor = "Sum of the single drops.", 1.0
        ratios = [joint / single for single, joint in self._pairs[-_RECENT:]]
        if ratios:
            factor = min(max(median(ratios), _LEAST_FACTOR), _MOST_FACTOR)
            note = f"Sum of the single drops, times {factor:.2g} as measured so far."
        dense = self._evaluator.dense()
        # Of a share of which more is better no more can be lost than there is.
        is_bounded = dense.drop.unit == "fraction" and dense.drop.best in (None, "highest")
        value = min(factor * total, dense.accuracy.value) if is_bounded else factor * total
        return Measurement("drop", value, dense.drop.unit, "estimated", note=note, best=dense.drop.best)
