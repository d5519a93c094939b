from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.within_layer import layer_groups, parameter_of, weight_of
from explorer.types import LayerInfo, LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Block:
    """Rectangles of the weight matrix: what block-sparse kernels can skip.

    The matrix has one row for each output; its columns are all inputs (of a convolution:
    input channel by input channel, each with its kernel, row by row). Blocks lie edge to edge.

    Weak where the important weights are scattered: a block goes or stays as a whole, so accuracy falls earlier
    than with single weights.

    Source: Narang et al. 2017, arXiv:1711.02782.
    """

    key: ClassVar[str] = "block"
    label: ClassVar[str] = "Blocks"
    unit: ClassVar[str] = "block"
    why_no_removal: ClassVar[str] = "A matrix without some of its blocks is no smaller matrix."
    rows: int = param(4, "Rows of a block", low=1, high=128)
    columns: int = param(4, "Columns of a block", low=1, high=128)

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return layer_groups(layers, self.unit, self._n_blocks)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        weight = weight_of(model, group)
        down, across = self._grid(tuple(weight.shape))
        blocks = weight.reshape(down, self.rows, across, self.columns).transpose(1, 2)
        return blocks.reshape(down * across, self.rows * self.columns)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        shape = tuple(weight_of(model, group).shape)
        down, across = self._grid(shape)
        mask = keep.reshape(down, 1, across, 1).expand(down, self.rows, across, self.columns)
        return {parameter_of(model, group): mask.reshape(shape)}

    def _grid(self, shape: tuple[int, ...]) -> tuple[int, int]:
        return shape[0] // self.rows, prod(shape[1:]) // self.columns

    def _n_blocks(self, layer: LayerInfo) -> int | str:
        n_columns = prod(layer.shape[1:])
        if layer.shape[0] % self.rows:
            return f"Its {layer.shape[0]} rows do not divide into blocks of {self.rows}."
        if n_columns % self.columns:
            return f"Its {n_columns} columns do not divide into blocks of {self.columns}."
        return prod(self._grid(layer.shape))
