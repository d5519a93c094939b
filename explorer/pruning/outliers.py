"""Outliers: weights whose size times the norm of their input is far above what is usual in their block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.pruning.evidence.base import Evidence
from explorer.pruning.evidence.least_squares import Products
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True, eq=False)
class Outliers:
    """How many there are in each block, once asked. Without a look at data all inputs count as equally strong."""

    model: LoadedModel
    layers: LayerTable
    groups: tuple[PruningGroup, ...]
    evidence: Evidence | None
    _shares: dict[float, dict[str, float]] = field(default_factory=dict)

    def shares(self, multiple: float) -> Mapping[str, float]:
        """By group: of all weights of its block, the share above ``multiple`` times the mean of the block."""
        if multiple not in self._shares:
            blocks = {group.name: group.block for group in self.groups if group.why_not is None}
            names = {block: self._parameters(block) for block in dict.fromkeys(blocks.values())}
            of_block = {block: self._share(parameters, multiple) for block, parameters in names.items()}
            self._shares[multiple] = {name: of_block[block] for name, block in blocks.items()}
        return self._shares[multiple]

    def _parameters(self, block: str) -> list[str]:
        of_groups = {name for group in self.groups if group.block == block for name in group.layers}
        return [layer.parameter for layer in self.layers.prunable if layer.name in of_groups]

    def _share(self, parameters: list[str], multiple: float) -> float:
        strengths = [self._strength(name) for name in parameters]
        n = sum(each.numel() for each in strengths)
        if not n:
            return 0.0
        line = multiple * sum(float(each.sum(dtype=torch.float64)) for each in strengths) / n
        return sum(int((each > line).sum()) for each in strengths) / n

    def _strength(self, parameter: str) -> Tensor:
        sizes = self.model.weights[parameter].detach().abs().float()
        squares = self._squares(parameter, sizes)
        return sizes if squares is None else sizes * squares.sqrt()

    def _squares(self, parameter: str, weight: Tensor) -> Tensor | None:
        kinds = {} if self.evidence is None else self.evidence.kinds
        if parameter in kinds.get("input_squares", {}):
            squares: Tensor = kinds["input_squares"][parameter]
            return squares
        products = kinds.get("input_products", {}).get(parameter)
        if not isinstance(products, Products):
            return None
        diagonal = products.mean.diagonal(dim1=1, dim2=2)[:, None]
        return products.back(diagonal.expand(*products.rows(weight).shape), weight)
