"""How many weights of a model are zero, and how many are no numbers: counted together, and once a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from torch import Tensor

from explorer.ranking.together import broken, counted_each
from explorer.types import LoadedModel


@dataclass(frozen=True)
class WeightCounts:
    """By parameter: ``n_zeros`` of each, and ``n_not_finite`` of those that hold NaN or infinite numbers."""

    n_zeros: Mapping[str, int]
    n_not_finite: Mapping[str, int]


_COUNTED: WeakKeyDictionary[LoadedModel, WeightCounts] = WeakKeyDictionary()


def weight_counts(model: LoadedModel) -> WeightCounts:
    """The counts of the model's weights; nobody writes to them, so they are counted once."""
    counts = _COUNTED.get(model)
    if counts is None:
        n_zeros, n_bad = counted_each(model.weights, (_zero, broken))
        counts = _COUNTED[model] = WeightCounts(n_zeros, {name: n for name, n in n_bad.items() if n})
    return counts


def _zero(numbers: Tensor) -> Tensor:
    return numbers == 0
