from __future__ import annotations

from collections import defaultdict
from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.coupling.branches import BLOCKS, values_at
from explorer.pruning.coupling.groups import coupling
from explorer.pruning.coupling.whole_blocks import units_of
from explorer.pruning.evidence.running import batches_of
from explorer.pruning.evidence.watching import BATCH
from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel, Split
from explorer.types.inputs import Inputs, tensors_of

_MASK = "attention_mask"


class InfluenceEvidence:
    """How much each block turns its stream: one mapping, kind of block -> (blocks,), from 0 to 2.

    1 minus the cosine of what goes in and what comes out. Of a stream of tokens, (n, tokens, width), the mean over
    samples and tokens, those that are padding by the model's ``attention_mask`` left out; of every other stream the
    mean over samples, each taken as one vector.
    """

    key: ClassVar[str] = "block_influence"
    labels: ClassVar[bool] = False

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        coupled, layers = coupling(model), layer_table(model)
        if coupled.graph is None:
            return {}
        spans = {kind: [(b.entry, b.exit) for b in units_of(kind, model, layers, coupled)] for kind in BLOCKS}
        names = {name for pairs in spans.values() for pair in pairs for name in pair}
        sums: dict[tuple[str, str], float] = defaultdict(float)
        counts: dict[tuple[str, str], float] = defaultdict(float)
        for x, _ in batches_of(split, -(-len(split) // BATCH)):
            seen = values_at(coupled.graph, x, names)
            for entry, last in {pair for pairs in spans.values() for pair in pairs}:
                cosines = _cosines(seen[entry], seen[last])
                weights = _weights(x, cosines)
                sums[entry, last] += float(((1 - cosines) * weights).sum())
                counts[entry, last] += float(weights.sum())
        return {kind: _means(pairs, sums, counts) for kind, pairs in spans.items() if pairs}


def _means(
    pairs: list[tuple[str, str]], sums: dict[tuple[str, str], float], counts: dict[tuple[str, str], float]
) -> Tensor:
    return torch.tensor([sums[pair] / max(counts[pair], 1) for pair in pairs], dtype=torch.float64).clamp_min(0)


def _cosines(before: object, after: object) -> Tensor:
    """(n, tokens) of streams of tokens, else (n, 1); a vector of zeros is like another one and like nothing else."""
    if not isinstance(before, Tensor) or not isinstance(after, Tensor):
        raise TypeError("a block takes a tensor and gives one")
    a, b = (x.double() if x.dim() == 3 else x.double().flatten(1).unsqueeze(1) for x in (before, after))
    lengths = a.norm(dim=-1) * b.norm(dim=-1)
    cosines = (a * b).sum(dim=-1) / lengths.clamp_min(1e-300)
    both_zero = ~a.any(dim=-1) & ~b.any(dim=-1)
    return torch.where(both_zero, 1.0, cosines)


def _weights(x: Inputs, cosines: Tensor) -> Tensor:
    """1 for each vector that counts, 0 for padding."""
    mask = tensors_of(x).get(_MASK)
    return torch.ones_like(cosines) if mask is None or mask.shape != cosines.shape else mask.to(cosines.dtype)
