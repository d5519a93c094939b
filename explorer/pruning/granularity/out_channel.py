from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.coupling import channel_knobs
from explorer.types import Knob, LayerTable, LoadedModel


@dataclass(frozen=True)
class OutChannel:
    """Whole output channels (also called filters), with everything that must go with them.

    A unit is a channel of every layer that shares it (residual adds couple layers): its rows,
    its bias, its batch-norm weight and bias, and the input columns of the layers that read it.
    So the masked network computes what the physically smaller one computes.

    Source: Li et al. 2017, arXiv:1608.08710; coupling as in Fang et al. 2023, arXiv:2301.12900.
    """

    key: ClassVar[str] = "out_channel"
    label: ClassVar[str] = "Channels"
    unit: ClassVar[str] = "channel"
    why_no_removal: ClassVar[str] = ""

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        return channel_knobs(model, layers)

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        pieces = []
        for part in knob.parts:
            if part.role == "scored":
                rows = model.weights[part.parameter].detach().float().movedim(part.dim, 0).flatten(1)
                inside = part.units >= 0
                order = torch.argsort(part.units[inside], stable=True)
                pieces.append(rows[inside][order].reshape(knob.n_units, -1))
        return torch.cat(pieces, dim=1)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        kept: dict[str, dict[int, Tensor] | Tensor] = {}
        for part in knob.parts:
            if part.parameter not in model.weights:
                continue  # a running statistic: it is no weight, and a zero in it would mean nothing
            stays = torch.ones(len(part.units), dtype=torch.bool)
            inside = part.units >= 0
            stays[inside] = keep[part.units[inside]]
            dims = kept.setdefault(part.parameter, {})
            if isinstance(dims, dict):
                dims[part.dim] = dims[part.dim] & stays if part.dim in dims else stays
        return kept
