from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP
from explorer.types import Part

_UNITS = ("channel", "neuron")


@dataclass(frozen=True)
class Apoz(Criterion):
    """Average percentage of zeros: units that are mostly silent after their nonlinearity matter least.

    score[g] = 1 - APoZ = the share of samples and places at which the unit's output is not zero. Where
    layers share their channels, the mean over the layers that a ReLU (or the like) follows. The size of
    the weights plays no part.

    Weak where nonlinearities are never exactly zero (GELU, tanh), or a unit is silent on these samples and
    needed on others.

    Source: Hu et al. 2016, arXiv:1607.03250, equation 1.
    """

    key: ClassVar[str] = "apoz"
    label: ClassVar[str] = "Activation zeros"
    needs: ClassVar[frozenset[str]] = frozenset({"zeros"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def why_not(self, units: Units) -> Refusal | None:
        group = units.of[1]
        if group.unit not in _UNITS:
            return Refusal(
                f"It counts zeros of whole outputs, and a {group.unit} has none of its own: choose channels or neurons."
            )
        if not list(_counted(units)):
            return Refusal("No ReLU follows that would make zeros to count.")
        return None

    def score(self, units: Units) -> Tensor:
        n_units = units.weights.shape[0]
        active, n = torch.zeros(n_units, dtype=torch.float64), torch.zeros(n_units, dtype=torch.float64)
        for part, zeros in _counted(units):
            inside = part.units >= 0
            active.index_add_(0, part.units[inside], 1 - zeros[inside].double())
            n.index_add_(0, part.units[inside], torch.ones(int(inside.sum()), dtype=torch.float64))
        return (active / n).float()


def _counted(units: Units) -> list[tuple[Part, Tensor]]:
    """The scored parts whose zeros were counted, with the share of zeros of each of their channels."""
    zeros = units.seen.field("zeros")
    scored = [part for part in units.of[1].parts if part.role == "scored" and part.parameter in zeros]
    return [(part, zeros[part.parameter]) for part in scored if len(zeros[part.parameter]) == len(part.units)]
