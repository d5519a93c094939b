from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.params import mapping_param, param
from explorer.pruning.allocation.base import Bounds
from explorer.pruning.allocation.curves import Curve, points_by_group
from explorer.pruning.allocation.filling import Filling, filled
from explorer.types import Scores


@dataclass(frozen=True)
class BySensitivity(Filling):
    """Each layer gives up the share at which it alone would cost as much as every other layer alone.

    ``curves`` are the drops of a sensitivity scan, as ``layer@share: drop``; they are smoothed to rise (isotonic
    regression). The common drop is found by halving, so that the sum is what was asked. Layers whose drop
    stays 0 go first. Beyond the last measured share a layer counts as rising to a drop of 1.

    Weak where layers make up for each other or fail together: each curve was measured with all other layers
    dense.

    Source: the shares by sensitivity of Han et al. 2015, arXiv:1506.02626, section 3, and Li et al. 2017,
    arXiv:1608.08710, section 3.2, here with one bound for all layers.
    """

    key: ClassVar[str] = "sensitivity"
    label: ClassVar[str] = "By sensitivity scan"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0, help="Share of the units of all unlocked layers.")
    curves: tuple[tuple[str, float], ...] = mapping_param("Drop by layer@share", low=-1.0, high=1.0)

    def within(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        sizes = {name: len(scores.values[name]) for name in bounds}
        n = round(self.sparsity * sum(sizes.values()))
        if n == 0:
            return {name: b.low for name, b in bounds.items()}
        curves = self._curves(list(bounds))

        def at(level: float) -> dict[str, float]:
            return {name: sizes[name] * curves[name].share(level) for name in bounds}

        return filled(at, bounds, n)

    def _curves(self, names: list[str]) -> dict[str, Curve]:
        points = points_by_group(self.curves)
        if not points:
            raise ExplorerError(
                "The shares follow from a sensitivity scan, and there is none.",
                fix="Scan first: sensitivity_allocation.from_scan(...) fills the curves in; the commands do it.",
            )
        missing = [name for name in names if name not in points]
        if missing:
            raise ExplorerError(
                f"The sensitivity of {missing[0]!r} is not known.",
                why=f"The scan holds {len(points)} layers, and this one can lose units too.",
                fix="Scan every layer of this model in these units, or lock the layer.",
            )
        return {name: Curve.smoothed(points[name]) for name in names}
