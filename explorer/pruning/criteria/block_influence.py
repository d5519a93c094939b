from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.coupling.branches import BLOCKS
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class BlockInfluence(Criterion):
    """Blocks that hardly turn the stream that runs through them matter least.

    score[g] = 1 - cosine(stream before the block, stream after it), the mean over samples and tokens. A stream
    without tokens (a picture's) is one vector for each sample. Weights play no part.

    Weak where a block turns the stream little and what it adds is needed all the same: a small change in a direction
    that a later block reads counts as little.

    Source: Men et al. 2024, arXiv:2403.03853 (ShortGPT), equation 1.
    """

    key: ClassVar[str] = "block_influence"
    label: ClassVar[str] = "Block influence"
    needs: ClassVar[frozenset[str]] = frozenset({"block_influence"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def why_not(self, units: Units) -> Refusal | None:
        group = units.of[1]
        if group.unit not in BLOCKS:
            return Refusal(f"It compares what goes into a block with what comes out, and a {group.unit} is no block.")
        return None

    def score(self, units: Units) -> Tensor:
        return units.seen.field("block_influence")[units.of[1].unit]
