from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.params import param
from explorer.pruning.allocation.base import Bounds, clamped
from explorer.types import Scores


@dataclass(frozen=True)
class Uniform:
    """The same share of every unlocked layer: n = round(sparsity * n_units) in each.

    The counting of ``torch.nn.utils.prune.l1_unstructured``, layer by layer.

    Weak where layers are not equally sensitive, as the first and the last ones seldom are.
    """

    key: ClassVar[str] = "uniform"
    label: ClassVar[str] = "Uniform"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0, help="Share of the units of each layer.")

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        return {name: round(self.sparsity * len(values)) for name, values in scores.values.items()}

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        return clamped(self.wanted(scores, bounds), bounds)
