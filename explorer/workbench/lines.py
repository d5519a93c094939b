"""Where the lines of a list stand, as values."""

from __future__ import annotations

from explorer.pruning.allocation import Global, Threshold
from explorer.pruning.spec import PruneSpec
from explorer.types import Plan, Scores


def common_lines(spec: PruneSpec, scores: Scores, plan: Plan) -> dict[str, float]:
    """The one value that all groups were asked for, for each group that it says the same of as the plan.

    Between two scores any value removes the same units. Where one value was asked for, every line stands there, and
    a lock leaves it there; the lines that are not named stand at their lowest kept score.
    """
    common = common_line(spec, scores, plan)
    if common is None:
        return {}
    movable = [k for k in plan.groups if k.group.why_not is None]
    return {k.group.name: common for k in movable if scores.ranks[k.group.name].count_below(common) == k.n_pruned}


def common_line(spec: PruneSpec, scores: Scores, plan: Plan) -> float | None:
    """The value that was asked for, or, of one order over all layers, the lowest score that is kept."""
    allocation = spec.allocation
    if isinstance(allocation, Threshold):
        return allocation.value if allocation.unit == "absolute" and not allocation.values else None
    if not isinstance(allocation, Global):
        return None
    moving = [k for k in plan.groups if k.group.why_not is None and not k.locked]
    if not any(k.n_pruned for k in moving):
        return None
    staying = [k for k in moving if k.n_pruned < k.group.n_units]
    return min((scores.ranks[k.group.name].kth_smallest(k.n_pruned) for k in staying), default=None)
