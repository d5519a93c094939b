from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class Obd(Criterion):
    """Optimal brain damage: what the loss would rise by at a minimum, weight by weight, from its curvature.

    score[g] = sum over the unit of 1/2 h_i w_i^2, with h_i the diagonal of the loss's Hessian without the second
    derivatives of the network's own functions (Gauss-Newton), never negative. In a network of linear layers,
    ReLU and pooling, where every weight is used at one depth, these are zero and h_i is d2L/dw_i^2 exactly; with
    GELU, attention or recurrence it is what LeCun et al. call the Levenberg-Marquardt approximation. Labels are
    not needed: the curvature of the cross entropy does not depend on them. Summed and not averaged, since it is
    counted in the loss.

    Weak where much goes at once: weights are looked at one by one, as if no two made up for each other. It
    takes one backward pass a class.

    Source: LeCun et al. 1990, "Optimal Brain Damage" (1/2 h w^2, diagonal, extremal and quadratic
    approximations); the diagonal by one backward pass a class as in Dangel et al. 2020, arXiv:1912.10985.
    """

    key: ClassVar[str] = "obd"
    label: ClassVar[str] = "Optimal brain damage"
    needs: ClassVar[frozenset[str]] = frozenset({"curvature"})
    n_samples: int = param(128, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def score(self, units: Units) -> Tensor:
        return units.curved("curvature")
