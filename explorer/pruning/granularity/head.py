from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.pruning.coupling.coupled import coupled_groups, coupled_masks, coupled_spread
from explorer.pruning.coupling.groups import in_model_order, unit_knobs
from explorer.pruning.heads_by_name import BY_NAME, heads_by_name
from explorer.types import Knob, LayerTable, LoadedModel


@dataclass(frozen=True)
class Head:
    """Attention heads: their query, key and value rows with the columns of the output projection.

    Heads that share keys and values (grouped queries) go together. One head always stays.

    Source: Michel et al. 2019, arXiv:1905.10650.
    """

    key: ClassVar[str] = "head"
    label: ClassVar[str] = "Heads"
    unit: ClassVar[str] = "head"
    why_no_removal: ClassVar[str] = "The code that counts the heads could not be followed."

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        traced = unit_knobs(model, layers, self.unit)
        taken = {name for knob in traced if knob.why_not is None for name in knob.layers}
        named = heads_by_name(model, layers, taken)
        by_name = {name for knob in named for name in knob.layers}
        rest = [knob for knob in traced if knob.why_not is None or knob.name not in by_name]
        return tuple(_more_than_one(knob) for knob in in_model_order([*rest, *named], layers))

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        return coupled_groups(model, knob)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        by_name = BY_NAME in knob.coupled_by
        return coupled_masks(model, knob, keep) if by_name else coupled_spread(model, knob, keep)


def _more_than_one(knob: Knob) -> Knob:
    """One head always stays, so a single one has no line."""
    alone = knob.why_not is None and knob.n_units == 1
    return replace(knob, why_not="It has one head, and one always stays.") if alone else knob
