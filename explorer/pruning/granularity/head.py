from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.pruning.coupling.coupled import coupled_groups, coupled_masks, coupled_spread
from explorer.pruning.coupling.groups import in_model_order, unit_groups
from explorer.pruning.heads_by_name import BY_NAME, heads_by_name
from explorer.types import LayerTable, LoadedModel, PruningGroup


@dataclass(frozen=True)
class Head:
    """Attention heads: their query, key and value rows with the columns of the output projection.

    Heads that share keys and values (grouped queries) go together. One head always stays.

    Weak where there are few heads, as in small transformers: each is a large share of its layer. Attention
    whose heads cannot be told apart is left out, with the reason.

    Source: Michel et al. 2019, arXiv:1905.10650.
    """

    key: ClassVar[str] = "head"
    label: ClassVar[str] = "Heads"
    unit: ClassVar[str] = "head"
    why_no_removal: ClassVar[str] = "The code that counts the heads could not be followed."

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        traced = unit_groups(model, layers, self.unit)
        taken = {name for group in traced if group.why_not is None for name in group.layers}
        named = heads_by_name(model, layers, taken)
        by_name = {name for group in named for name in group.layers}
        rest = [group for group in traced if group.why_not is None or group.name not in by_name]
        return tuple(_more_than_one(group) for group in in_model_order([*rest, *named], layers))

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return coupled_groups(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        by_name = BY_NAME in group.coupled_by
        return coupled_masks(model, group, keep) if by_name else coupled_spread(model, group, keep)


def _more_than_one(group: PruningGroup) -> PruningGroup:
    """One head always stays, so a single one has no line."""
    alone = group.why_not is None and group.n_units == 1
    return replace(group, why_not="It has one head, and one always stays.") if alone else group
