from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units


@dataclass(frozen=True)
class LpNorm(Criterion):
    """Magnitude: units of small weights matter least.

    score[g] = (mean_i |w[g, i]|^p)^(1/p). The mean, not the sum, so that units of different
    sizes can be ranked together under a global allocation. On single weights it is |w| for
    every p.

    Weak where a layer's scale says nothing, as before a normalisation that takes it away again: under a global
    allocation such layers can be emptied.

    Source: Han et al. 2015, arXiv:1506.02626 (single weights);
    Li et al. 2017, arXiv:1608.08710 (whole output channels, p=1).
    """

    key: ClassVar[str] = "lp_norm"
    label: ClassVar[str] = "Magnitude"
    on_weight_scale: ClassVar[bool] = True
    variants: ClassVar[tuple[str, ...]] = ("p=1",)
    p: float = param(2.0, "Norm order p", low=0.5, high=4.0, help="1: mean of |w|; 2: root mean square.")

    def score(self, units: Units) -> Tensor:
        magnitudes = units.weights.abs()
        if magnitudes.shape[1] == 1:
            # |w|^p would underflow for tiny weights and make ties that are not there.
            return magnitudes[:, 0]
        # Divide by the largest, so that neither huge nor tiny weights leave the float range.
        scale = magnitudes.amax().clamp_min(magnitudes.new_tensor(1e-38))
        mean: Tensor = (magnitudes / scale).pow(self.p).mean(dim=1)
        return mean.pow(1 / self.p) * scale
