from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.pruning.coupling.branches import WHOLE, group_of_blocks
from explorer.pruning.coupling.coupled import coupled_spread
from explorer.pruning.coupling.groups import coupling
from explorer.pruning.coupling.whole_blocks import Unit, whole_blocks
from explorer.pruning.granularity.layer import evenly
from explorer.pruning.within_layer import layer_groups
from explorer.types import LayerTable, LoadedModel, PruningGroup

_NAME = "layer blocks"


@dataclass(frozen=True)
class Depth:
    """Whole blocks: residual blocks of a convolutional network, layers of a transformer.

    A unit is all that a block adds to its stream; without it the stream goes on as it came (through the block's
    normalisation where that lies on the stream). All units share one threshold. A block that gives the stream
    another shape stays.

    Weak where blocks are few: one of them is a large share of the network, and accuracy falls in steps.

    Source: Men et al. 2024, arXiv:2403.03853 (transformers); Veit et al. 2016, arXiv:1605.06431 (residual networks).
    """

    key: ClassVar[str] = "depth"
    label: ClassVar[str] = "Depth"
    unit: ClassVar[str] = WHOLE
    why_no_removal: ClassVar[str] = ""

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        coupled = coupling(model)
        blocks = whole_blocks(model, layers, coupled)
        group = group_of_blocks(_NAME, self.unit, [b for b in blocks if b.why_not is None], model, layers)
        fixed = [held for block in blocks if block.why_not and (held := _fixed(block, layers)) is not None]
        groups = [*([group] if group else []), *fixed]
        taken = {name for k in groups for name in k.layers}
        why = coupled.why_not or "It is in no block that could leave its stream as it came."
        rest = layer_groups(layers, self.unit, lambda _: why)
        return (*groups, *(k for k in rest if k.name not in taken))

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        return evenly(model, group)

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        return coupled_spread(model, group, keep)


def _fixed(block: Unit, layers: LayerTable) -> PruningGroup | None:
    """A block that must stay, with the reason."""
    own = [layer for layer in layers.prunable if layer.parameter in block.parameters]
    if not own:
        return None
    names, n_weights = tuple(layer.name for layer in own), sum(layer.n_weights for layer in own)
    return PruningGroup(block.name, names, 1, WHOLE, n_weights, own[0].block, "block", block.why_not)
