from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.coupling.coupled import ROUND_HELP, coupled_groups, coupled_spread
from explorer.pruning.coupling.groups import in_model_order, unit_knobs
from explorer.pruning.within_layer import layer_knobs
from explorer.types import Knob, LayerTable, LoadedModel

_NOT_BETWEEN = "Not a hidden linear layer: its outputs are no neurons that only other linear layers read."


@dataclass(frozen=True)
class MlpNeuron:
    """Hidden neurons between two linear layers: of an MLP, or of a transformer's feed-forward part.

    A unit is a row of the first layer, its bias, and the column of the second that reads it.
    Attention, convolutions and the width of a residual stream stay as they are.

    Source: McCarley et al. 2019, arXiv:1910.06360 (the feed-forward neurons of a transformer).
    """

    key: ClassVar[str] = "mlp_neuron"
    label: ClassVar[str] = "Neurons"
    unit: ClassVar[str] = "neuron"
    why_no_removal: ClassVar[str] = ""
    round_to: int = param(1, "Keep multiples of", low=1, high=64, help=ROUND_HELP)

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        kinds = {layer.parameter: layer.kind for layer in layers}
        channels = unit_knobs(model, layers, "channel")
        neurons = [replace(k, unit=self.unit, locked_by=None) for k in channels if _is_between_linear(k, kinds)]
        taken = {name for knob in neurons for name in knob.layers}
        reasons = {k.name: k.why_not for k in channels if k.kind == "Linear" and k.why_not is not None}
        rest = layer_knobs(layers, self.unit, lambda layer: reasons.get(layer.name) or _NOT_BETWEEN)
        return in_model_order([*neurons, *(k for k in rest if k.name not in taken)], layers)

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        return coupled_groups(model, knob)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, knob, keep)


def _is_between_linear(knob: Knob, kinds: dict[str, str]) -> bool:
    weights = [part.parameter for part in knob.parts if part.role != "follows"]
    in_a_stream = "added together" in knob.coupled_by
    return knob.why_not is None and not in_a_stream and all(kinds.get(name) == "Linear" for name in weights)
