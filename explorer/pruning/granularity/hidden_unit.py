from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.coupling.coupled import ROUND_HELP, coupled_groups, coupled_spread
from explorer.pruning.coupling.groups import unit_groups
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class HiddenUnit:
    """Hidden units of LSTM, GRU and RNN layers, with their gates and everything that reads them.

    A unit is its row in every gate (input weights, recurrent weights, biases), its recurrent
    column, and its column in whatever reads it. All layers and both directions of one module
    have the same number of units, so the k-th units of all of them go together.

    Weak where layers of one module need different widths: the k-th units of all of them go together.

    Source: Wen et al. 2018, arXiv:1709.05027 (the set of weights that go with a unit).
    """

    key: ClassVar[str] = "hidden_unit"
    label: ClassVar[str] = "Hidden units"
    unit: ClassVar[str] = "hidden unit"
    why_no_removal: ClassVar[str] = ""
    round_to: int = param(1, "Keep multiples of", low=1, high=64, help=ROUND_HELP)

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return unit_groups(model, layers, self.unit)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return coupled_groups(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, group, keep)
