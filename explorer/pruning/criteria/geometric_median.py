from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.pruning.coupling.branches import BLOCKS
from explorer.pruning.criteria.base import Criterion, Units

_MOST_UNITS = 16384  # every unit is compared with every other one
_ROWS = 256


@dataclass(frozen=True)
class GeometricMedian(Criterion):
    """FPGM: units that lie amid the others of their layer can be replaced by those; they go, whatever their size.

    score[g] = mean over the other units h of sqrt(mean_i (w[g, i] - w[h, i])^2). Within a layer this orders as
    the paper's sum of distances does; means take the place of sums so that layers of other widths compare.

    Weak where units differ in size more than in direction: a large and useful unit amid its neighbours goes
    before a small one at the edge.

    Source: He et al. 2019, arXiv:1811.00250, equation 4.
    """

    key: ClassVar[str] = "geometric_median"
    label: ClassVar[str] = "Geometric median"

    def why_not(self, units: Units) -> Refusal | None:
        unit = units.group.unit if units.group else ""
        n_units, size = units.weights.shape
        if unit in ("group", *BLOCKS):
            return Refusal(f"Distances between weight vectors say nothing where each {unit} holds other weights.")
        if size == 1:
            return Refusal("Its units are single weights: distances are between vectors.")
        if n_units > _MOST_UNITS:
            return Refusal(f"It compares every unit with every other one, and these are {n_units:,} units.")
        return None

    def score(self, units: Units) -> Tensor:
        vectors = units.weights.float() if units.weights.dtype != torch.float64 else units.weights
        n_units, size = vectors.shape
        # The quick way through matrix products loses the small distances that decide here.
        sums = [
            torch.cdist(rows, vectors, compute_mode="donot_use_mm_for_euclid_dist").sum(dim=1, dtype=torch.float64)
            for rows in torch.split(vectors, _ROWS)
        ]
        distances: Tensor = torch.cat(sums) / (max(1, n_units - 1) * size**0.5)
        return distances.to(vectors.dtype)
