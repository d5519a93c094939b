"""Channels that no layer reads any more: where every reader drops a channel, whoever makes it may stop making it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.pruning.coupling.groups import Coupling
from explorer.pruning.coupling.views import FROZEN, LABEL
from explorer.types import Part, PruningGroup


@dataclass(frozen=True)
class InputGroup(PruningGroup):
    """A line over what one layer reads. ``channels``: all channels of the network, one unit each, the same in all."""

    channels: tuple[Part, ...] = field(default=(), compare=False, repr=False)


def channel_parts(coupled: Coupling) -> tuple[Part, ...]:
    """Every slice of every parameter with the channel that it belongs to; -1 where the channel must stay."""
    roots = [coupled.labels.roots(use.labels) for use in coupled.uses]
    channel_roots = torch.unique(torch.cat(roots)) if roots else torch.empty(0, dtype=LABEL)
    channel_roots = channel_roots[channel_roots > FROZEN]
    parts = []
    for use, held in zip(coupled.uses, roots, strict=True):
        units = torch.where(held > FROZEN, torch.searchsorted(channel_roots, held.contiguous()), -1)
        parts.append(Part(use.parameter, use.dim, units, use.role))
    return tuple(parts)


def unread(groups: Sequence[PruningGroup], masks: Mapping[str, Tensor]) -> dict[str, dict[int, Tensor]]:
    """Which slices of each parameter stay once the channels that no layer reads under ``masks`` are gone.

    Empty for lines over other units, and where every channel is still read by some layer.
    """
    parts = next((group.channels for group in groups if isinstance(group, InputGroup)), ())
    if not masks or not any(bool((part.units >= 0).any()) for part in parts):
        return {}
    kept: dict[str, dict[int, Tensor]] = {}
    n_gone, gone = -1, torch.zeros(0)
    # What goes may have been the last to read something else.
    while int(gone.sum()) > n_gone:
        n_gone, gone = int(gone.sum()), _gone(parts, masks, kept)
        kept = _kept(parts, gone)
    return kept


def unread_roots(coupled: Coupling, masks: Mapping[str, Tensor]) -> Tensor:
    """The same as representatives of the channels' labels, from masks in which all of it is gone already."""
    roots = [coupled.labels.roots(use.labels) for use in coupled.uses]
    channel_roots: Tensor = torch.unique(torch.cat(roots))
    return channel_roots[channel_roots > FROZEN].masked_select(_gone(channel_parts(coupled), masks, {}))


def _kept(parts: Sequence[Part], gone: Tensor) -> dict[str, dict[int, Tensor]]:
    kept: dict[str, dict[int, Tensor]] = {}
    for part in parts:
        stays = ~(gone[part.units.clamp_min(0)] & (part.units >= 0))
        if not bool(stays.all()):
            dims = kept.setdefault(part.parameter, {})
            dims[part.dim] = dims[part.dim] & stays if part.dim in dims else stays
    return kept


def _gone(parts: Sequence[Part], masks: Mapping[str, Tensor], kept: Mapping[str, Mapping[int, Tensor]]) -> Tensor:
    """(n_channels,) True where there are readers and none of them reads it; no layer loses all its channels."""
    n_units = max((int(part.units.max()) + 1 for part in parts if len(part.units)), default=0)
    readers, read = torch.zeros(n_units, dtype=torch.bool), torch.zeros(n_units, dtype=torch.bool)
    for part in parts:
        if part.role == "consumes":
            inside = part.units >= 0
            readers[part.units[inside]] = True
            read[part.units[inside & _line(part, masks, kept.get(part.parameter, {}))]] = True
    gone = readers & ~read
    for part in parts:
        if len(part.units) and bool((part.units >= 0).all()) and bool(gone[part.units].all()):
            gone[part.units[0]] = False
    return gone


def _line(part: Part, masks: Mapping[str, Tensor], kept: Mapping[int, Tensor]) -> Tensor:
    """Which slices of a reader still hold anything."""
    mask = masks.get(part.parameter)
    if mask is None:
        return torch.ones(len(part.units), dtype=torch.bool)
    for dim, stays in kept.items():
        mask = mask & stays.reshape([-1 if d == dim else 1 for d in range(mask.dim())])
    return mask.movedim(part.dim, 0).flatten(1).any(dim=1)
