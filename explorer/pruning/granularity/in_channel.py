from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.coupling.groups import coupling
from explorer.pruning.coupling.unused_channels import InputGroup, channel_parts
from explorer.pruning.within_layer import LOOKED_UP, groups_of_conv, layer_groups, parameter_of, weight_of
from explorer.types import LayerInfo, LayerTable, LoadedModel, PruningGroup

_FIRST = "First layer: its input channels are the data itself."


@dataclass(frozen=True)
class InChannel:
    """Input channels of single layers: the layer stops reading a channel that others may still read.

    A unit is all weights that one layer gives to one input channel (a column of a linear
    layer). Where every layer that reads a channel drops it, nobody needs it: the layer that
    makes it loses it too, and both can be cut out. A channel that others still read stays.

    Weak where other layers go on reading the channel: nothing becomes smaller then.

    Source: He et al. 2017, arXiv:1707.06168 (channel pruning on the input side).
    """

    key: ClassVar[str] = "in_channel"
    label: ClassVar[str] = "Input channels"
    unit: ClassVar[str] = "input channel"
    why_no_removal: ClassVar[str] = (
        "Every channel that one layer drops is still read by another one, or comes from the data itself."
    )

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        first = next((layer.name for layer in layers.prunable), None)
        groups = layer_groups(layers, self.unit, lambda layer: _n_inputs(model, layer))
        channels = channel_parts(coupling(model))
        locks = {first: _FIRST} if first else {}
        return tuple(
            InputGroup(**{**vars(k), "locked_by": None if k.why_not else locks.get(k.name)}, channels=channels)
            for k in groups
        )

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        weight = weight_of(model, group)
        if group.kind.startswith("ConvTranspose"):
            return weight.flatten(1)
        # (groups, outputs, inputs, kernel) -> one row for each input channel
        n_groups = groups_of_conv(model, parameter_of(model, group))
        by_group = weight.reshape(n_groups, weight.shape[0] // n_groups, weight.shape[1], -1)
        return by_group.transpose(1, 2).reshape(group.n_units, -1)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        weight, name = weight_of(model, group), parameter_of(model, group)
        rest = [1] * (weight.dim() - 2)
        if group.kind.startswith("ConvTranspose"):
            return {name: keep.reshape(-1, 1, *rest).expand(weight.shape).contiguous()}
        n_groups = groups_of_conv(model, name)
        by_group = keep.reshape(n_groups, 1, weight.shape[1], *rest)
        full = by_group.expand(n_groups, weight.shape[0] // n_groups, *weight.shape[1:])
        return {name: full.reshape(weight.shape)}


def _n_inputs(model: LoadedModel, layer: LayerInfo) -> int | str:
    if layer.kind in LOOKED_UP:
        return "An embedding reads tokens, not channels."
    if layer.kind.startswith("ConvTranspose"):
        return layer.shape[0]
    return layer.shape[1] * groups_of_conv(model, layer.parameter)
