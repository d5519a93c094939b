from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.within_layer import layer_groups, parameter_of, weight_of
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Weight:
    """Single weights (unstructured): the finest unit. Zeros appear, shapes stay.

    Weak where time or memory has to fall: kernels and files for dense tensors do not see single zeros.

    Source: Han et al. 2015, arXiv:1506.02626.
    """

    key: ClassVar[str] = "weight"
    label: ClassVar[str] = "Weights"
    unit: ClassVar[str] = "weight"
    why_no_removal: ClassVar[str] = "A tensor without some of its entries is no smaller tensor."

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return layer_groups(layers, self.unit, lambda layer: layer.n_weights)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return weight_of(model, group).reshape(-1, 1)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return {parameter_of(model, group): keep.reshape(weight_of(model, group).shape)}
