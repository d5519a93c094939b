"""A scan, read for a search: each group's rising curves, what its levels save, and the fronts that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from explorer.analysis.search.families import Planner, front_of, savings
from explorer.analysis.search.front import Front
from explorer.analysis.sensitivity.result import Sensitivity
from explorer.pruning.allocation.curves import Curve
from explorer.types import Measurement

_FINER = 3  # shares between two levels of the scan that are choices too


@dataclass(frozen=True, eq=False)
class Curves:
    """By group: ``levels`` (shares of the scan), ``drops`` and ``losses`` (rising curves), ``savings`` (share: saved).

    ``losses`` is empty where the samples have no labels. The loss tells plans apart that answer alike.
    """

    levels: Mapping[str, list[float]]
    drops: Mapping[str, Curve]
    losses: Mapping[str, Curve]
    savings: Mapping[str, Mapping[float, float]]

    @classmethod
    def of(cls, sensitivity: Sensitivity, planner: Planner, dense_loss: Measurement | None) -> Curves:
        """The curves of the groups that the planner's units have."""
        prunable = {k.name for k in planner.scores.groups if k.why_not is None}
        levels, drops = {}, {}
        # Beyond the last level all may be lost: of a share that is 1, else twice the worst that was measured.
        at_end = 1.0 if sensitivity.scale == 1.0 else 2 * sensitivity.scale
        for name in sensitivity.groups:
            cells = [cell for cell in sensitivity.curve(name) if cell.n_pruned]
            if cells and name in prunable:
                levels[name] = [cell.share for cell in cells]
                drops[name] = Curve.smoothed(((cell.share, cell.drop.value) for cell in cells), at_end)
        return cls(levels, drops, _losses(sensitivity, list(levels), dense_loss), savings(planner, levels))

    def fronts(self, power: float) -> list[Front]:
        """The best combinations by the losses, where there are any, and by the drops."""
        curves = [curves for curves in (self.losses, self.drops) if curves]
        return [front_of(self.savings, losses, power=power, between_levels=_FINER) for losses in curves]


def _losses(sensitivity: Sensitivity, names: list[str], dense: Measurement | None) -> dict[str, Curve]:
    rises: dict[str, list[tuple[float, float]]] = {}
    for name in names:
        cells = [cell for cell in sensitivity.curve(name) if cell.n_pruned]
        if dense is None or any(cell.loss is None for cell in cells):
            return {}
        rises[name] = [(cell.share, cell.loss.value - dense.value) for cell in cells if cell.loss]
    worst = max((rise for points in rises.values() for _, rise in points), default=0.0)
    return {name: Curve.smoothed(points, at_end=2 * max(worst, 0.0)) for name, points in rises.items()}
