from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.params import param
from explorer.pruning.within_layer import LOOKED_UP, layer_groups, parameter_of, weight_of
from explorer.types import LayerInfo, LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class NOfM:
    """Groups of m neighbouring weights of which n stay: 2 of 4 is the pattern that GPUs can use.

    A unit is one group. Where it goes, its m - n smallest weights go; a group that stays keeps
    all. So the pattern is kept exactly at every setting, and when all units go the whole layer
    is n:m. The score is of the weights that a group would lose. Neighbours are m consecutive
    input channels at the same place of the kernel (inputs of a linear layer): the order in
    which sparse matrix units read a convolution's weights.

    Weak where a runtime does not know the pattern, or a layer needs more than n of m weights: every group loses
    as many.

    Source: Mishra et al. 2021, arXiv:2104.08378, section 3 (2:4, along the input channels).
    """

    key: ClassVar[str] = "n_of_m"
    label: ClassVar[str] = "n of m"
    unit: ClassVar[str] = "group"
    why_no_removal: ClassVar[str] = "A pattern of zeros saves memory and time only where the kernel can read it."
    n: int = param(2, "Kept of each group (n)", low=1, high=31)
    m: int = param(4, "Group size (m)", low=2, high=32)

    def __post_init__(self) -> None:
        if not self.n < self.m:
            raise ExplorerError(f"{self.n} of {self.m} prunes nothing.", fix="Keep fewer than the group holds: n < m.")

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return layer_groups(layers, self.unit, self._n_groups)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        """(n_units, m - n): the smallest weights of each group."""
        rows = self._rows(weight_of(model, group))
        return rows.gather(1, self._lost(rows))

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        weight = weight_of(model, group)
        rows = self._rows(weight)
        stays = torch.ones_like(rows, dtype=torch.bool)
        stays.scatter_(1, self._lost(rows), keep.unsqueeze(1).expand(-1, self.m - self.n))
        by_input = weight.movedim(1, -1).shape
        return {parameter_of(model, group): stays.reshape(by_input).movedim(-1, 1).contiguous()}

    def _n_groups(self, layer: LayerInfo) -> int | str:
        if layer.kind in LOOKED_UP:
            return "An embedding is looked up, not multiplied: no kernel reads the pattern there."
        if layer.kind.startswith("ConvTranspose"):
            return "A transposed convolution keeps its inputs in its rows, where no kernel reads the pattern."
        n_inputs = layer.shape[1]
        if n_inputs % self.m:
            return f"Its {n_inputs} inputs do not divide into groups of {self.m}."
        return layer.n_weights // self.m

    def _rows(self, weight: Tensor) -> Tensor:
        return weight.movedim(1, -1).reshape(-1, self.m)

    def _lost(self, rows: Tensor) -> Tensor:
        """(n_groups, m - n) places of the smallest weights; of equal ones the first go."""
        return rows.abs().argsort(dim=1, stable=True)[:, : self.m - self.n]
