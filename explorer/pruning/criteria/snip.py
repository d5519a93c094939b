from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class Snip(Criterion):
    """Connection sensitivity: how much the loss feels each connection, as a share of all connections.

    score[g] = sum over the unit of |w_i dL/dw_i| / sum over all prunable weights of |w dL/dw|, with the gradient
    of one batch of all samples. The scores of all weights sum to 1. It was made to prune a network before it is
    trained: at the end of training the gradient of all samples nearly vanishes, and Taylor (batch by batch) sees
    more. Signs do not cancel within a unit as they do there.

    Weak where the network is trained already: see above. Under a high share it can empty a layer, and nothing
    is left to pass a signal.

    Source: Lee et al. 2019, arXiv:1810.02340 (single weights); summed over units as in
    van Amersfoort et al. 2020, arXiv:2007.00389 (3SP).
    """

    key: ClassVar[str] = "snip"
    label: ClassVar[str] = "SNIP"
    needs: ClassVar[frozenset[str]] = frozenset({"connection_sensitivity"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def score(self, units: Units) -> Tensor:
        return units.totals(units.arranged(units.seen.field("connection_sensitivity")))
