from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.within_layer import layer_knobs, parameter_of, weight_of
from explorer.types import Knob, LayerTable, LoadedModel


@dataclass(frozen=True)
class Weight:
    """Single weights (unstructured): the finest unit. Zeros appear, shapes stay.

    Source: Han et al. 2015, arXiv:1506.02626.
    """

    key: ClassVar[str] = "weight"
    label: ClassVar[str] = "Weights"
    unit: ClassVar[str] = "weight"
    why_no_removal: ClassVar[str] = "A tensor without some of its entries is no smaller tensor."

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        return layer_knobs(layers, self.unit, lambda layer: layer.n_weights)

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        return weight_of(model, knob).reshape(-1, 1)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return {parameter_of(model, knob): keep.reshape(weight_of(model, knob).shape)}
