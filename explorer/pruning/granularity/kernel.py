from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from torch import Tensor

from explorer.pruning.within_layer import layer_groups, parameter_of, weight_of
from explorer.types import LayerInfo, LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Kernel:
    """Whole kernels of a convolution: the k x k weights between one input and one output channel.

    Weak where kernels are 1 x 1, where it is the same as single weights, or the runtime has no kernel that
    skips them.

    Source: Mao et al. 2017, arXiv:1705.08922 (there: 2-D, or kernel-level, granularity).
    """

    key: ClassVar[str] = "kernel"
    label: ClassVar[str] = "Kernels"
    unit: ClassVar[str] = "kernel"
    why_no_removal: ClassVar[str] = "Both channels that a kernel connects are still there without it."

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        return layer_groups(layers, self.unit, _n_kernels)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        weight = weight_of(model, group)
        return weight.reshape(weight.shape[0] * weight.shape[1], -1)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        weight = weight_of(model, group)
        places = keep.reshape(*weight.shape[:2], *[1] * (weight.dim() - 2))
        return {parameter_of(model, group): places.expand(weight.shape).contiguous()}


def _n_kernels(layer: LayerInfo) -> int | str:
    if len(layer.shape) < 3:
        return "Only convolutions have kernels."
    return prod(layer.shape[:2])
