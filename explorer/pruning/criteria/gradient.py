from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units

N_SAMPLES_HELP = "Samples of the fit split that are looked at."


@dataclass(frozen=True)
class Gradient(Criterion):
    """Sensitivity of the loss to each weight: units whose gradients are small matter least.

    score[g] = mean over batches and over the unit's weights of |dL/dw|. The size of the weight
    plays no part: compare it with Taylor, which multiplies by the weight.

    Weak where the network is trained to the end: gradients nearly vanish there, and a large weight with a small
    gradient goes before a tiny one with a large one.

    Source: Mozer and Smolensky 1988 (relevance as the derivative of the error); the plain
    gradient-magnitude baseline of Blalock et al. 2020, arXiv:2003.03033.
    """

    key: ClassVar[str] = "gradient"
    label: ClassVar[str] = "Gradient"
    needs: ClassVar[frozenset[str]] = frozenset({"gradients"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def score(self, units: Units) -> Tensor:
        batches = units.seen.kinds["gradients"]
        return torch.stack([units.arranged(batch).abs().mean(dim=1) for batch in batches]).mean(dim=0)
