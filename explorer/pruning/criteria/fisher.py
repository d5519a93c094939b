from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class Fisher(Criterion):
    """Second order, with gradients alone: what the loss would rise by if it curved as its gradients scatter.

    score[g] = sum over the unit of 1/2 F_i w_i^2, where F_i = mean over samples of (dL_sample/dw_i)^2 is the
    diagonal of the empirical Fisher information: near a minimum it stands in for the Hessian's. Summed and not
    averaged, since it is counted in the loss. Compare with Optimal brain damage, which takes the curvature itself.

    Weak where the network has not converged, or its gradients on the samples are almost zero because it knows
    them by heart.

    Source: LeCun et al. 1990, "Optimal Brain Damage" (1/2 h w^2); Theis et al. 2018, arXiv:1801.05787 (the
    empirical Fisher information in place of h).
    """

    key: ClassVar[str] = "fisher"
    label: ClassVar[str] = "Fisher"
    needs: ClassVar[frozenset[str]] = frozenset({"squared_gradients"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def score(self, units: Units) -> Tensor:
        return units.curved("squared_gradients")
