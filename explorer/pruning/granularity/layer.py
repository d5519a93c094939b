from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.coupling.branches import BLOCK, block_group
from explorer.pruning.coupling.coupled import coupled_spread
from explorer.pruning.coupling.groups import coupling
from explorer.pruning.within_layer import layer_groups
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Layer:
    """Residual branches, such as the attention or the feed-forward part of a transformer: their shortcut is left.

    A unit is everything on one side of a residual addition (in a ResNet that is a block). All units share one line.
    They have different sizes: the weights of each are repeated evenly to the length of the longest, so that means
    over them compare.

    Weak where blocks also change the width or the resolution: those have no shortcut that could take their
    place.

    Source: Veit et al. 2016, arXiv:1605.06431 (residual networks without some of their blocks).
    """

    key: ClassVar[str] = "layer"
    label: ClassVar[str] = "Residual blocks"
    unit: ClassVar[str] = BLOCK
    why_no_removal: ClassVar[str] = ""

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        coupled = coupling(model)
        group = block_group(model, layers, coupled)
        taken = set(group.layers) if group else set()
        why = coupled.why_not or "It is in no residual block that could leave its shortcut alone."
        rest = tuple(k for k in layer_groups(layers, self.unit, lambda _: why) if k.name not in taken)
        return (*((group,) if group else ()), *rest)

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return evenly(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, group, keep)


def evenly(model: LoadedModel, group: PruningGroup) -> Tensor:
    """(n_units, length of the longest): the scored weights of each block, repeated evenly to one length."""
    rows: list[list[Tensor]] = [[] for _ in range(group.n_units)]
    for part in group.parts:
        if part.role == "scored":
            rows[int(part.units[0])].append(model.weights[part.parameter].detach().float().flatten())
    blocks = [torch.cat(row) for row in rows]
    longest = max(len(block) for block in blocks)
    return torch.stack([block[torch.arange(longest) * len(block) // longest] for block in blocks])
