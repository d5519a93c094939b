from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from explorer.params import param
from explorer.pruning.allocation.base import Bounds
from explorer.pruning.allocation.filling import Filling, filled
from explorer.types import Scores


@dataclass(frozen=True)
class Owl(Filling):
    """Outlier weighed: blocks with many outliers give up less.

    An outlier is a weight whose |W| ||X|| is above ``multiple`` times the mean of its block; d is their share.
    With r = 2 ``spread`` (d - min d) / (max d - min d), the share that a block gives up is the sparsity
    + mean r - r, the same for all layers of the block; the level is then moved so that the sum is what was asked
    (blocks of one size: not at all). Criteria that look at no data see no inputs: all count as equally strong.

    Weak where activations have no outliers, as in networks of a few million weights: the shares it gives are
    then little more than noise.

    Source: Yin et al. 2023, arXiv:2310.05175, section 3 (there with 5 or 7 times the mean, and 0.08).
    """

    key: ClassVar[str] = "owl"
    label: ClassVar[str] = "By outliers (OWL)"
    sparsity: float = param(0.0, "Sparsity", low=0.0, high=1.0, help="Share of the units of all unlocked layers.")
    multiple: float = param(5.0, "Outliers above", low=1.0, high=100.0, help="Times the mean of the block.")
    spread: float = param(0.08, "Spread", low=0.0, high=0.5, help="Blocks differ by at most twice that share.")

    def within(self, scores: Scores, bounds: Mapping[str, Bounds]) -> dict[str, int]:
        sizes = {name: len(scores.values[name]) for name in bounds}
        more = self._more(scores, list(bounds))
        widest = max((abs(value) for value in more.values()), default=0.0)

        def at(level: float) -> dict[str, float]:
            # At level 0 nothing goes even where most would, at level 1 everything does even where least would.
            share = level * (1.0 + 2.0 * widest) - widest
            return {name: sizes[name] * min(1.0, max(0.0, share + more[name])) for name in bounds}

        return filled(at, bounds, round(self.sparsity * sum(sizes.values())))

    def _more(self, scores: Scores, names: list[str]) -> dict[str, float]:
        """By group: how much more than the mean its block gives up."""
        if scores.outliers is None or not self.sparsity:
            return dict.fromkeys(names, 0.0)
        shares, blocks = scores.outliers.shares(self.multiple), {group.name: group.block for group in scores.groups}
        of_block = {blocks[name]: shares[name] for name in names}
        low, high = min(of_block.values(), default=0.0), max(of_block.values(), default=0.0)
        if high == low:
            return dict.fromkeys(names, 0.0)
        raised = {block: 2 * self.spread * (share - low) / (high - low) for block, share in of_block.items()}
        mean = sum(raised.values()) / len(raised)
        return {name: mean - raised[blocks[name]] for name in names}
