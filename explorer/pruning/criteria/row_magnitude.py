from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.places import places_in_rows
from explorer.pruning.granularity.weight import Weight


@dataclass(frozen=True)
class RowMagnitude(Criterion):
    """Magnitude among the weights of one output: every output of every layer loses the same share.

    score[i, j] = the place of |W[i, j]| among the weights of output i, from 0 to 1; of equal ones the first is
    lower. It is what Wanda becomes where all inputs are equally strong.

    Weak where outputs differ in what they are worth: each gives up the same share, also one that nothing reads.

    Source: the comparison group "(1, input)" of Sun et al. 2023, arXiv:2306.11695, section 5.
    """

    key: ClassVar[str] = "row_magnitude"
    label: ClassVar[str] = "Magnitude by row"

    def why_not(self, units: Units) -> Refusal | None:
        _, group, granularity = units.of
        if isinstance(granularity, Weight):
            return None
        return Refusal(f"It compares single weights of one output, and a {group.unit} is none: choose magnitude.")

    def score(self, units: Units) -> Tensor:
        return places_in_rows(units.weights[:, 0].abs(), units)
