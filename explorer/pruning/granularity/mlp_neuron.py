from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.coupling.coupled import ROUND_HELP, coupled_groups, coupled_spread
from explorer.pruning.coupling.groups import in_model_order, unit_groups
from explorer.pruning.within_layer import layer_groups
from explorer.types import LayerTable, LoadedModel, PruningGroup

_NOT_BETWEEN = "Not a hidden linear layer: its outputs are no neurons that only other linear layers read."


@dataclass(frozen=True)
class MlpNeuron:
    """Hidden neurons between two linear layers: of an MLP, or of a transformer's feed-forward part.

    A unit is a row of the first layer, its bias, and the column of the second that reads it.
    Attention, convolutions and the width of a residual stream stay as they are.

    Weak where most weights lie elsewhere, in attention or convolutions, which stay as they are.

    Source: McCarley et al. 2019, arXiv:1910.06360 (the feed-forward neurons of a transformer).
    """

    key: ClassVar[str] = "mlp_neuron"
    label: ClassVar[str] = "Neurons"
    unit: ClassVar[str] = "neuron"
    why_no_removal: ClassVar[str] = ""
    round_to: int = param(1, "Keep multiples of", low=1, high=64, help=ROUND_HELP)

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        kinds = {layer.parameter: layer.kind for layer in layers}
        channels = unit_groups(model, layers, "channel")
        neurons = [replace(k, unit=self.unit, locked_by=None) for k in channels if _is_between_linear(k, kinds)]
        taken = {name for group in neurons for name in group.layers}
        reasons = {k.name: k.why_not for k in channels if k.kind == "Linear" and k.why_not is not None}
        rest = layer_groups(layers, self.unit, lambda layer: reasons.get(layer.name) or _NOT_BETWEEN)
        return in_model_order([*neurons, *(k for k in rest if k.name not in taken)], layers)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return coupled_groups(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, group, keep)


def _is_between_linear(group: PruningGroup, kinds: dict[str, str]) -> bool:
    weights = [part.parameter for part in group.parts if part.role != "follows"]
    in_a_stream = "added together" in group.coupled_by
    return group.why_not is None and not in_a_stream and all(kinds.get(name) == "Linear" for name in weights)
