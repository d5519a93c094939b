from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.params import mapping_param, param
from explorer.pruning.allocation.base import Bounds, clamped
from explorer.types import Scores


@dataclass(frozen=True)
class PerLayer:
    """A share for each layer by name; ``sparsity`` for the layers that are not named.

    Weak where shares come from elsewhere and the network has changed since: nothing adapts them.
    """

    key: ClassVar[str] = "per_layer"
    label: ClassVar[str] = "Per layer"
    sparsity: float = param(0.0, "Sparsity of the others", low=0.0, high=1.0)
    shares: tuple[tuple[str, float], ...] = mapping_param("Share by layer", low=0.0, high=1.0)

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        shares = dict(self.shares)
        return {name: round(shares.get(name, self.sparsity) * len(values)) for name, values in scores.values.items()}

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        return clamped(self.wanted(scores, bounds), bounds)
