from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class Taylor(Criterion):
    """What the loss would change by without the unit, to first order: units that would change it least go.

    score[g] = mean over batches of |sum_i w[g, i] dL/dw[g, i]| (form "sum"), or of its square (form
    "squared"). The sum runs over the unit and keeps its signs: weights that would raise the loss make up for
    weights that would lower it. It is a sum and not a mean since it is counted in the loss itself, so that
    units of all sizes compare under a global ranking: a larger unit costs what it costs. On single weights it
    is |w dL/dw|.

    Weak where much goes at once, since the first order holds for small changes only, or the few samples are not
    like those that come later.

    Source: Molchanov et al. 2017, arXiv:1611.06440 (absolute value; there of feature maps, here of the
    weights that make them); Molchanov et al. 2019, arXiv:1906.10771 (square of the sum over a set of weights);
    Michel et al. 2019, arXiv:1905.10650 (absolute value, for attention heads).
    """

    key: ClassVar[str] = "taylor"
    label: ClassVar[str] = "Taylor"
    needs: ClassVar[frozenset[str]] = frozenset({"gradients"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)
    form: str = param("sum", "Form", choices=("sum", "squared"), help="Of each batch: the absolute sum, or its square.")

    def score(self, units: Units) -> Tensor:
        batches = units.seen.kinds["gradients"]
        changes = torch.stack([units.totals(units.weights * units.arranged(batch)) for batch in batches])
        return (changes.abs() if self.form == "sum" else changes.square()).mean(dim=0)
