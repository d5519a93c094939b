from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units


@dataclass(frozen=True)
class Random(Criterion):
    """Uniform random scores: the control that every criterion must beat.

    Each layer draws from its own generator, seeded by ``seed`` and the layer's name, so the
    same seed gives the same scores whatever other layers are there. A unit that is nothing but zeros already
    scores 0 and goes first, as under every other criterion: the control of a sparse network is as sparse as what
    it is compared with.

    Weak where anything is known about the units: it knows nothing, which is what it is for. One draw is not
    enough; take several seeds.
    """

    key: ClassVar[str] = "random"
    label: ClassVar[str] = "Random (control)"
    seed: int = param(0, "Seed", low=0, high=2**31 - 1)

    def score(self, units: Units) -> Tensor:
        # The generator reads 32 bits of its seed: mix both numbers into those.
        generator = torch.Generator().manual_seed(zlib.crc32(f"{self.seed}:{units.name}".encode()))
        draws = torch.rand(units.weights.shape[0], generator=generator)
        # A draw of exactly 0 stays above what is zero already, and below every other draw.
        return draws.clamp_min(2**-25).masked_fill((units.weights == 0).all(dim=1), 0)
