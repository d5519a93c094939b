from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.coupling.coupled import ROUND_HELP, coupled_groups, coupled_spread
from explorer.pruning.coupling.groups import unit_groups
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class OutChannel:
    """Whole output channels (also called filters), with everything that must go with them.

    A unit is a channel of every layer that shares it (residual adds couple layers): its rows,
    its bias, its batch-norm weight and bias, and the input columns of the layers that read it.
    So the masked network computes what the physically smaller one computes.

    Weak where a residual stream couples many layers: one unit then costs much everywhere, and few units are
    left to choose from.

    Source: Li et al. 2017, arXiv:1608.08710; coupling as in Fang et al. 2023, arXiv:2301.12900.
    """

    key: ClassVar[str] = "out_channel"
    label: ClassVar[str] = "Channels"
    unit: ClassVar[str] = "channel"
    why_no_removal: ClassVar[str] = ""
    round_to: int = param(1, "Keep multiples of", low=1, high=64, help=ROUND_HELP)

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return unit_groups(model, layers, self.unit)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return coupled_groups(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, group, keep)
