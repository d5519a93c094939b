from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.params import mapping_param, param
from explorer.pruning.allocation.base import Bounds, clamped
from explorer.types import Ranking, Scores


@dataclass(frozen=True)
class Threshold:
    """A line on the histogram: n = number of scores below it.

    ``unit`` says what the value is: ``absolute`` (a score), ``std`` (a multiple of the layer's
    standard deviation) or ``percentile`` (0-100). ``values`` gives single layers a line of
    their own; the others take ``value``.

    Weak where many scores are equal or close to the value: a small move of the line takes many units at once.

    Source: absolute and std as in Han et al. 2015, arXiv:1506.02626 (a quality parameter times
    the standard deviation of the layer's weights).
    """

    key: ClassVar[str] = "threshold"
    label: ClassVar[str] = "A threshold"
    value: float = param(0.0, "Threshold", low=0.0, help="Scores below it go.")
    unit: str = param("absolute", "Unit", choices=("absolute", "std", "percentile"))
    values: tuple[tuple[str, float], ...] = mapping_param("Threshold by layer", low=0.0)

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        own = dict(self.values)
        return {
            name: self._n_below(scores.ranks[name], len(values), own.get(name, self.value), scores.deviations[name])
            for name, values in scores.values.items()
        }

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        return clamped(self.wanted(scores, bounds), bounds)

    def _n_below(self, rank: Ranking, n_units: int, line: float, deviation: float) -> int:
        if self.unit == "percentile":
            return round(min(line, 100.0) / 100.0 * n_units)
        return rank.count_below(line * deviation if self.unit == "std" else line)


def threshold_forms(scores: Scores, name: str, n_pruned: int) -> dict[str, float]:
    """The same line three ways: ``absolute`` (lowest kept score), ``std``, ``percentile``."""
    n_units = len(scores.values[name])
    line = lowest_kept(scores, name, n_pruned)
    deviation = scores.deviations[name]
    return {
        "absolute": line,
        "std": line / deviation if deviation else 0.0,
        "percentile": 100.0 * n_pruned / n_units if n_units else 0.0,
    }


def lowest_kept(scores: Scores, name: str, n_pruned: int) -> float:
    """The score of the lowest unit that stays; just above the highest one when none stays; 0 when all stay."""
    if n_pruned <= 0:
        return 0.0
    n_units = scores.values[name].numel()
    if n_pruned < n_units:
        return scores.ranks[name].kth_smallest(n_pruned)
    top = torch.tensor(scores.ranks[name].kth_smallest(n_units - 1), dtype=scores.values[name].dtype)
    return float(torch.nextafter(top.float(), torch.tensor(math.inf)))
