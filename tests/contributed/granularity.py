"""A granularity as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.within_layer import layer_groups, parameter_of, weight_of
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Row:
    """Whole rows of a weight matrix; the bias stays.

    Weak where the bias alone goes on answering.
    """

    key: ClassVar[str] = "row"
    label: ClassVar[str] = "Rows"
    unit: ClassVar[str] = "row"
    why_no_removal: ClassVar[str] = "The bias of a row is still there without it."

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return layer_groups(layers, self.unit, lambda layer: layer.shape[0])

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return weight_of(model, group).flatten(1)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return {parameter_of(model, group): {0: keep}}
