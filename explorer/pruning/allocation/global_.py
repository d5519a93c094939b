from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

import torch

from explorer.params import param
from explorer.pruning.allocation.base import Bounds
from explorer.pruning.select import keep_mask
from explorer.ranking.order import Magnitudes, global_counts
from explorer.types import Scores


@dataclass(frozen=True)
class Global:
    """One order over all unlocked layers: the lowest scores go, wherever they are.

    The counting of ``torch.nn.utils.prune.global_unstructured``. Floors and caps hold first;
    the rest of the request is spread over the layers that have room.

    Weak where scores of different layers do not compare: whole layers can be emptied while others stay dense.

    Source: the scope "global" of Blalock et al. 2020, arXiv:2003.03033, section 2.3.
    """

    key: ClassVar[str] = "global"
    label: ClassVar[str] = "Global"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0, help="Share of the units of all unlocked layers.")

    def wanted(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        free = {name: Bounds(0, scores.values[name].numel()) for name in self._moving(scores, bounds)}
        return self._fill(scores, free) | {name: b.low for name, b in bounds.items() if name not in free}

    def counts(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        moving = {name: bounds[name] for name in self._moving(scores, bounds)}
        return self._fill(scores, moving) | {name: b.low for name, b in bounds.items() if name not in moving}

    def _moving(self, scores: Scores, bounds: Mapping[str, Bounds]) -> list[str]:
        return [name for name in scores.values if bounds[name].low < bounds[name].high]

    def _fill(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        names = list(bounds)
        ranks = cast(Mapping[str, Magnitudes], scores.ranks)
        tensors = [scores.values[name] for name in names]
        n = round(self.sparsity * sum(t.numel() for t in tensors))
        if all(bounds[name] == Bounds(0, t.numel()) for name, t in zip(names, tensors, strict=True)):
            return dict(zip(names, global_counts([ranks[name] for name in names], n), strict=True)) if names else {}
        # Each layer offers its units from floor to cap, lowest first; the floors are spent already.
        offers = [
            torch.sort(t, stable=True).values[bounds[name].low : bounds[name].high]
            for name, t in zip(names, tensors, strict=True)
        ]
        n_offered = sum(len(offer) for offer in offers)
        left = min(max(n - sum(bounds[name].low for name in names), 0), n_offered)
        taken = ~keep_mask(torch.cat(offers), left)
        parts = torch.split(taken, [len(offer) for offer in offers])
        return {name: bounds[name].low + int(part.sum()) for name, part in zip(names, parts, strict=True)}
