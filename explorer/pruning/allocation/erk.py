from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.params import param
from explorer.pruning.allocation.base import Bounds
from explorer.pruning.allocation.filling import Filling, filled
from explorer.types import PruningGroup, Scores


@dataclass(frozen=True)
class Erk(Filling):
    """Erdős–Rényi-Kernel: large layers give up more than small ones, by their shapes alone.

    The density of a layer is proportional to (n_in + n_out + k_h + k_w) / (n_in * n_out * k_h * k_w); layers that
    would come out denser than dense stay whole, and the others are scaled so that the sum is what was asked.
    Larger units (channels, heads, ...) take the density of their layers: of units that reach through several layers
    it is the sum of those layers' sizes over the sum of their weights. No weight is looked at.

    Weak where layers are of about the same shape, where it is uniform, or sensitivity does not follow shape.

    Source: Mocanu et al. 2018, arXiv:1707.04780 (fully connected layers);
    Evci et al. 2020, arXiv:1911.11134, section 3 (with the kernel's size).
    """

    key: ClassVar[str] = "erk"
    label: ClassVar[str] = "By layer shape (ERK)"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0, help="Share of the units of all unlocked layers.")

    def within(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        sizes = {name: len(scores.values[name]) for name in bounds}
        raw = {group.name: raw_density(scores, group) for group in scores.groups if group.name in bounds}
        least = min(raw.values(), default=1.0)

        def at(level: float) -> dict[str, float]:
            # At level 0 even the layer of the least density is whole, at level 1 nothing is left.
            scale = (1.0 - level) / least
            return {name: sizes[name] * (1.0 - min(1.0, scale * raw[name])) for name in bounds}

        return filled(at, bounds, round(self.sparsity * sum(sizes.values())))


def raw_density(scores: Scores, group: PruningGroup) -> float:
    """The density of a group's layers before scaling: the sum of their sizes over the number of their weights."""
    layers = [scores.layers[name] for name in group.layers]
    n_weights = sum(layer.n_weights for layer in layers)
    return sum(math.fsum(layer.shape) for layer in layers) / n_weights if n_weights else 1.0
