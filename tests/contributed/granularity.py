"""A granularity as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.within_layer import layer_knobs, parameter_of, weight_of
from explorer.types import Knob, LayerTable, LoadedModel


@dataclass(frozen=True)
class Row:
    """Whole rows of a weight matrix; the bias stays."""

    key: ClassVar[str] = "row"
    label: ClassVar[str] = "Rows"
    unit: ClassVar[str] = "row"
    why_no_removal: ClassVar[str] = "The bias of a row is still there without it."

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        return layer_knobs(layers, self.unit, lambda layer: layer.shape[0])

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        return weight_of(model, knob).flatten(1)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return {parameter_of(model, knob): {0: keep}}
