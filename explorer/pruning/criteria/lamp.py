from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.criteria.base import Criterion, Units


@dataclass(frozen=True)
class Lamp(Criterion):
    """Magnitude that knows its layer: the share of a weight in the energy of all that would outlive it.

    score[g] = s[g] / (sum of s over g and all units that come after it in rising order of s), with s[g] = w^2, or
    the unit's sum of squares. Within a layer it orders as the magnitude does; between layers it compares
    fairly without any choice of shares, and the best unit of every layer scores 1, so that a global
    ranking empties no layer. Use it with the global allocation.

    Weak where a request is uniform (within a layer it is plain magnitude), or layers do the same work with very
    different numbers of weights.

    Source: Lee et al. 2021, arXiv:2010.07611, equation 2 (single weights; units by their squared norm: ours).
    """

    key: ClassVar[str] = "lamp"
    label: ClassVar[str] = "LAMP"

    def score(self, units: Units) -> Tensor:
        largest = units.weights.abs().amax().double() if units.weights.numel() else torch.tensor(1.0)
        # In double and as parts of the largest: squares of small weights would leave the range of a float.
        scaled = units.weights.double() / largest.clamp_min(1e-300)
        energy = units.totals(scaled.square())
        rising, order = torch.sort(energy, stable=True)
        outliving = rising.flip(0).cumsum(0).flip(0)
        shares = torch.where(outliving > 0, rising / outliving, 0.0)
        return torch.empty_like(energy).scatter_(0, order, shares).float()
