"""An allocation as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.params import param
from explorer.pruning.allocation.base import Bounds, clamped
from explorer.types import Scores


@dataclass(frozen=True)
class FirstOnly:
    """A share of the first layer, and nothing of the others.

    Weak where most weights are in other layers.
    """

    key: ClassVar[str] = "first_only"
    label: ClassVar[str] = "First layer only"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0)

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        first = next(iter(scores.values))
        return {name: round(self.sparsity * len(v)) if name == first else 0 for name, v in scores.values.items()}

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        return clamped(self.wanted(scores, bounds), bounds)
