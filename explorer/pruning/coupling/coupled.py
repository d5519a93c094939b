"""Units that reach through several layers: their scored weights, and everything that goes with them."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.types import LoadedModel, PruningGroup

ROUND_HELP = (
    "What stays in each layer is rounded up to a multiple of this. "
    "By target: 8 for AVX2 and half precision on tensor cores, 16 for AVX-512 and int8, 32 or 64 for large GPUs."
)


def coupled_groups(model: LoadedModel, group: PruningGroup) -> Tensor:
    """(n_units, unit_size): the scored weights of each unit, layer by layer."""
    pieces = []
    for part in group.parts:
        if part.role == "scored":
            rows = model.weights[part.parameter].detach().float().movedim(part.dim, 0).flatten(1)
            inside = part.units >= 0
            order = torch.argsort(part.units[inside], stable=True)
            pieces.append(rows[inside][order].reshape(group.n_units, -1))
    return torch.cat(pieces, dim=1)


def coupled_spread(model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
    """(n_units,) bool -> which slices of every parameter stay, by dimension."""
    kept: dict[str, dict[int, Tensor] | Tensor] = {}
    with_none = torch.cat([keep, keep.new_ones(1)])  # what is -1, of no unit, stays: one look-up instead of three steps
    for part in group.parts:
        if part.parameter not in model.weights:
            continue  # a running statistic: it is no weight, and a zero in it would mean nothing
        stays = with_none[part.units]
        dims = kept.setdefault(part.parameter, {})
        if isinstance(dims, dict):
            dims[part.dim] = dims[part.dim] & stays if part.dim in dims else stays
    return kept


def coupled_masks(model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
    """The same as full masks: for units that can be masked and not cut out."""
    masks: dict[str, dict[int, Tensor] | Tensor] = {}
    for name, dims in coupled_spread(model, group, keep).items():
        mask = torch.ones(model.weights[name].shape, dtype=torch.bool)
        for dim, stays in dims.items() if isinstance(dims, dict) else ():
            mask &= stays.reshape([-1 if d == dim else 1 for d in range(mask.dim())])
        masks[name] = mask
    return masks
