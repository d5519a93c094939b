"""A metric as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.metrics.base import Outputs, Share


@dataclass(frozen=True)
class Unsure(Share):
    """The share of samples whose highest output is no higher than half of all probability."""

    key: ClassVar[str] = "unsure"
    label: ClassVar[str] = "Unsure"
    best: ClassVar[str] = "lowest"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        return outputs.logits.softmax(dim=1).amax(dim=1).le(0.5).double()
