"""A look at the weights alone, in milliseconds, before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from explorer.analysis.arguments import given_model, given_spec
from explorer.analysis.sensitivity.cell import LEVELS, groups_for, n_for, rising
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Measurement, Scores
from explorer.types.aliases import JsonObject

NOTE = "Counted from the weights; not a measurement of accuracy."


@dataclass(frozen=True)
class Energy:
    """The share of one group's squared weights that one level removes."""

    group: str
    level: float
    n_pruned: int
    n_units: int
    removed: Measurement


def energy(
    model: LoadedModel | str,
    spec: PruneSpec | JsonObject | str | None = None,
    levels: Sequence[float] = LEVELS,
    *,
    layers: Sequence[str] | None = None,
    scores: Scores | None = None,
) -> tuple[Energy, ...]:
    """How much of each group's weight energy goes at each level: sum of w^2 removed / sum of w^2.

    It needs no data and no run. It ranks layers by how concentrated their weights are, and
    says nothing about what the network makes of them: not a measurement of accuracy.

    Raises ExplorerError for a level that is no share, and a layer that is not there.
    """
    loaded, request = given_model(model), given_spec(spec)
    scores = score(loaded, request) if scores is None else scores
    energies = []
    for group in groups_for(scores, layers):
        squares = request.granularity.unit_weights(loaded, group).double().square().sum(dim=1)
        gone = torch.cat(
            [squares.new_zeros(1), squares[torch.argsort(scores.values[group.name], stable=True)].cumsum(0)]
        )
        shares = gone / gone[-1].clamp_min(torch.finfo(torch.float64).tiny)
        for level in rising(levels):
            n = n_for(group, level)
            removed = Measurement("weight energy removed", float(shares[n]), "fraction", "counted", note=NOTE)
            energies.append(Energy(group.name, level, n, group.n_units, removed))
    return tuple(energies)
