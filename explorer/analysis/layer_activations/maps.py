"""The maps of one sample: what each channel of a layer makes of it, place by place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from explorer.analysis.layer_activations.collecting import pruned
from explorer.analysis.layer_activations.outputs import LayerOutputs, Viewpoint
from explorer.errors import ExplorerError
from explorer.pruning.evidence.watching import watched
from explorer.types import LoadedModel, Plan, Split
from explorer.types.code_limit import Limited


@dataclass(frozen=True, eq=False)
class ActivationMaps:
    """One sample in one layer: (channels, places...) of the dense network, and under the setting where that prunes."""

    layer: str
    after: str
    sample: int
    dense: Tensor
    pruned: Tensor | None = None


class _Maps(LayerOutputs):
    def __init__(self, names: Mapping[int, str], maps: dict[Viewpoint, tuple[str, Tensor]]) -> None:
        super().__init__(names)
        self._maps = maps

    def values(self, place: Viewpoint, name: str, out: Tensor, dim: int) -> None:
        if place not in self._maps and len(out) == 1 and out.dim() > -dim:
            self._maps[place] = (name, out.detach().movedim(dim, 1)[0].float().clone())


def activation_maps(
    model: LoadedModel, split: Split, layer: str, sample: int, plan: Plan | None = None
) -> ActivationMaps:
    """What the layer of a parameter's name or path gives for sample number ``sample`` of ``split``.

    Raises ExplorerError where the sample is not there, or nothing of the layer is seen.
    """
    if not 0 <= sample < len(split):
        fix = f"Give a number from 0 to {len(split) - 1}."
        raise ExplorerError(f"The {split.name} split has no sample {sample}.", fix=fix)
    one = Split(split.name, split.x[torch.tensor([sample])], None)
    networks = [model, *([pruned(model, plan)] if plan is not None and plan.n_pruned else [])]
    maps = [_of(network, one, layer) for network in networks]
    return ActivationMaps(layer, maps[0][0], sample, *(tensor for _, tensor in maps))


def _of(model: LoadedModel, one: Split, layer: str) -> tuple[str, Tensor]:
    maps: dict[Viewpoint, tuple[str, Tensor]] = {}
    with Limited(model.code_seconds, "Looking at the activations") as limited:
        limited(partial(watched, model, one, lambda names: _Maps(names, maps)))
    for name in (f"{layer}.weight", layer):
        for is_after in (True, False):
            if Viewpoint(name, is_after) in maps:
                return maps[Viewpoint(name, is_after)]
    raise ExplorerError(
        f"No activation of {layer} is seen.", why="It runs neither as a linear layer nor as a convolution.",
        fix="Choose another layer.",
    )  # fmt: skip
