"""A criterion as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units


@dataclass(frozen=True)
class Largest(Criterion):
    """What is largest goes first.

    score[g] = 1 / (offset + max of |w|).

    Weak where large weights matter, which is nearly everywhere.
    """

    key: ClassVar[str] = "largest"
    label: ClassVar[str] = "Largest first"
    offset: float = param(1.0, "Offset", low=0.001, high=1000.0)

    def score(self, units: Units) -> Tensor:
        return 1 / (self.offset + units.weights.abs().amax(dim=1))
