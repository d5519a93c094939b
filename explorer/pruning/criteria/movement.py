from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class Movement(Criterion):
    """Which way do weights go while the network learns to do without some? Those that fall towards zero go.

    score[g] = - sum over steps t and over the unit of w_i(t) dL/dw_i(t), while a private copy is fine-tuned for
    ``n_steps`` steps on the samples with a rising share of its lowest weights switched off: positive where
    training would move a weight away from zero. What is switched off is still followed, and comes back where the
    loss asks for it; without that (``masked`` 0) the scores of a trained network are little but noise. Only
    the scores come from the copy: the network that is pruned keeps its own weights, so the learning rate is low.

    Where some are negative, all are counted from the lowest of the model, which keeps every order: zero is then
    the unit that fell most.

    Weak where there is little data or time: it needs a short training, its scores depend on the learning rate,
    and a few steps are mostly noise.

    Source: Sanh et al. 2020, arXiv:2005.07683, section 4 and equation 4 (hard movement pruning, the lowest of
    each layer masked, with the cubic schedule of Zhu and Gupta 2017, arXiv:1710.01878).
    """

    key: ClassVar[str] = "movement"
    label: ClassVar[str] = "Movement"
    needs: ClassVar[frozenset[str]] = frozenset({"movement"})
    n_samples: int = param(512, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)
    n_steps: int = param(300, "Training steps", low=1, high=10000, help="Batches of 32 that the copy is trained on.")
    learning_rate: float = param(0.001, "Learning rate", low=0.0, high=1.0, help="Of plain SGD, constant.")
    masked: float = param(0.5, "Masked by the end", low=0.0, high=0.99, help="Share of each layer, rising to this.")
    seed: int = param(0, "Seed", low=0, high=2**31 - 1, help="Order of the samples in training.")

    def score(self, units: Units) -> Tensor:
        return units.totals(units.arranged(units.seen.field("movement")))
