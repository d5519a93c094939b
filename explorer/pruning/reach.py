"""How much of a network can go at all, in units of one kind: known before anything is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import torch
from torch import Tensor

from explorer.pruning.allocation import Bounds
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Scores


def most(model: LoadedModel, spec: PruneSpec, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
    """How many weights of each prunable parameter go where every group gives up all that its bounds allow."""
    kept: dict[str, dict[int, Tensor]] = {}
    masks: dict[str, Tensor] = {}
    for group in scores.groups:
        high = bounds[group.name].high if group.name in bounds else 0
        if high:
            keep = torch.arange(group.n_units) >= high
            for name, stays in spec.granularity.spread(model, group, keep).items():
                if isinstance(stays, Tensor):
                    masks[name] = masks[name] & stays if name in masks else stays
                else:
                    _narrow(kept.setdefault(name, {}), stays)
    names = {layer.parameter: layer.shape for layer in scores.layers.prunable}
    return {name: _n_gone(shape, kept.get(name, {}), masks.get(name)) for name, shape in names.items()}


def _narrow(dims: dict[int, Tensor], stays: Mapping[int, Tensor]) -> None:
    for dim, line in stays.items():
        dims[dim] = dims[dim] & line if dim in dims else line


def _n_gone(shape: tuple[int, ...], dims: Mapping[int, Tensor], mask: Tensor | None) -> int:
    if mask is not None:
        return mask.numel() - int(mask.sum())
    return prod(shape) - prod(int(dims[d].sum()) if d in dims else size for d, size in enumerate(shape))
