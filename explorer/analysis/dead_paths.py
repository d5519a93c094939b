"""Layers that pass nothing on though weights of theirs are left: all that they read is dead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from explorer.pruning.coupling.groups import coupling
from explorer.pruning.coupling.unused_channels import channel_parts
from explorer.types import LayerInfo, LoadedModel, Part, Plan


def cut_off(model: LoadedModel, plan: Plan) -> Iterator[tuple[LayerInfo, int]]:
    """Layers all of whose weights that are left read channels without a signal, with how many those weights are.

    A channel carries a signal where a layer that makes it has a weight left that reads one which does; biases alone
    make constants. Channels that are added to each other count as one, so that a way around keeps them alive. Nothing
    is said of networks that cannot be traced, or where no row of any layer is empty.
    """
    if model.module is None or not any(_has_empty_row(mask) for mask in plan.left.values()):
        return
    coupled = coupling(model)
    if coupled.why_not is not None:
        return
    by_parameter: dict[str, list[Part]] = {}
    for part in channel_parts(coupled):
        by_parameter.setdefault(part.parameter, []).append(part)
    weights = {
        layer.parameter: plan.left.get(layer.parameter, torch.ones(layer.shape, dtype=torch.bool))
        for layer in plan.layers.prunable
        if any(part.role == "consumes" for part in by_parameter.get(layer.parameter, ()))
    }
    alive = _alive(weights, by_parameter)
    if not len(alive):
        return
    for layer in plan.layers.prunable:
        mask = weights.get(layer.parameter)
        if mask is not None and bool(mask.any()) and not bool(_fed(mask, by_parameter[layer.parameter], alive).any()):
            yield layer, int(mask.sum())


def _has_empty_row(mask: Tensor) -> bool:
    return mask.dim() > 1 and not bool(mask.flatten(1).any(dim=1).all())


def _alive(weights: Mapping[str, Tensor], by_parameter: Mapping[str, Sequence[Part]]) -> Tensor:
    """(n_channels,) False where every layer that makes the channel has nothing left that leads to it."""
    parts = [part for some in by_parameter.values() for part in some]
    n_channels = max((int(part.units.max()) + 1 for part in parts if len(part.units)), default=0)
    alive = torch.ones(n_channels, dtype=torch.bool)
    if not n_channels:
        return alive  # a single layer: nothing is read that another makes
    for _ in range(len(by_parameter) + 1):  # what dies may have been all that another layer read
        computed, lives = torch.zeros(n_channels, dtype=torch.bool), torch.zeros(n_channels, dtype=torch.bool)
        for name, some in by_parameter.items():
            for part in some:
                if part.role != "scored":
                    continue
                inside = part.units >= 0
                computed[part.units[inside]] = True
                lives[part.units[inside & _rows_fed(weights.get(name), some, part, alive)]] = True
        now = alive & (lives | ~computed)
        if torch.equal(now, alive):
            break
        alive = now
    return alive


def _rows_fed(mask: Tensor | None, parts: Sequence[Part], part: Part, alive: Tensor) -> Tensor:
    """Which slices of ``part`` hold a weight that reads a channel which is alive; all where it is not known."""
    if mask is None:
        return torch.ones(len(part.units), dtype=torch.bool)
    return _fed(mask, parts, alive).movedim(part.dim, 0).flatten(1).any(dim=1)


def _fed(mask: Tensor, parts: Sequence[Part], alive: Tensor) -> Tensor:
    """The mask without the weights that read a dead channel; slices of no channel read what is always alive."""
    for part in parts:
        if part.role == "consumes":
            reads = (part.units < 0) | alive[part.units.clamp_min(0)]
            mask = mask & reads.reshape([-1 if dim == part.dim else 1 for dim in range(mask.dim())])
    return mask
