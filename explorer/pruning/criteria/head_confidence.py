from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import Refusal
from explorer.params import param
from explorer.pruning.criteria.base import Criterion, Units
from explorer.pruning.criteria.gradient import N_SAMPLES_HELP


@dataclass(frozen=True)
class HeadConfidence(Criterion):
    """Attention heads that never look anywhere in particular matter least.

    score[g] = the largest attention weight of the head, mean over samples and places: 1 where it always
    looks at one place, 1 / places where it looks everywhere alike. Heads that share their keys and go
    together: the mean over them. Weights play no part.

    Weak where a head that looks at one place always, such as the first one, is confident and may do nothing.

    Source: Voita et al. 2019, arXiv:1905.09418, section 4 (there without the end of a sentence).
    """

    key: ClassVar[str] = "head_confidence"
    label: ClassVar[str] = "Head confidence"
    needs: ClassVar[frozenset[str]] = frozenset({"attention"})
    n_samples: int = param(256, "Samples", low=8, high=65536, help=N_SAMPLES_HELP)

    def why_not(self, units: Units) -> Refusal | None:
        group = units.of[1]
        if group.unit != "head":
            return Refusal(f"It looks at where attention heads look, and a {group.unit} is none: choose heads.")
        if _confidences(units) is None:
            return Refusal("Its attention weights cannot be seen, or not be told apart by heads.")
        return None

    def score(self, units: Units) -> Tensor:
        confidences = _confidences(units)
        return torch.zeros(units.weights.shape[0]) if confidences is None else confidences


def _confidences(units: Units) -> Tensor | None:
    """(n_units,) from the first of the unit's projections whose heads were seen; None where there is none."""
    seen = units.seen.field("attention")
    for part in units.of[1].parts:
        heads = seen.get(part.parameter) if part.role == "scored" else None
        places = None if heads is None else unit_of_heads(part.units, len(heads))
        if heads is not None and places is not None and len(torch.unique(places)) == units.weights.shape[0]:
            total = torch.zeros(units.weights.shape[0]).index_add_(0, places, heads)
            return total / torch.bincount(places)
    return None


def unit_of_heads(rows: Tensor, n_heads: int) -> Tensor | None:
    """(n_heads,) the unit of each head, from the units of a projection's rows; None where they do not fit.

    Rows lie head by head, or each head's rows are spread evenly; a projection may hold queries, keys and
    values one after the other.
    """
    for times in (1, 3):
        own = rows[: len(rows) // times]
        if len(own) % n_heads or len(rows) % times:
            continue
        by_head, spread = own.reshape(n_heads, -1), own.reshape(-1, n_heads).T
        for candidate in (by_head, spread):
            if bool((candidate == candidate[:, :1]).all()) and bool((candidate >= 0).all()):
                return candidate[:, 0]
    return None
