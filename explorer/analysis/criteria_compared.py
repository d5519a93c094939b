"""One layer as two criteria see it: how alike they rank its units, and which ones they disagree about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.analysis.rank_correlation import spearman
from explorer.errors import ExplorerError
from explorer.pruning.criteria import get
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.scoring import score
from explorer.pruning.select import keep_mask
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, PruningGroup, Scores
from explorer.types.aliases import JsonDict


@dataclass(frozen=True)
class Dispute:
    """A unit that goes under one criterion only. ``ranks`` count from 0, the first to go; ``scores`` as they are."""

    unit: int
    ranks: tuple[int, int]
    scores: tuple[float, float]


@dataclass(frozen=True, eq=False)
class CriteriaCompared:
    """The units of one group under two criteria, at a level at which ``n_pruned`` go under each.

    ``scores``: two tensors (n_units,); ``kept``: two bool tensors. ``correlation`` is Spearman's, -1 to 1.
    """

    group: PruningGroup
    names: tuple[str, str]
    scores: tuple[Tensor, Tensor]
    kept: tuple[Tensor, Tensor]
    correlation: float
    n_pruned: int

    @property
    def n_both(self) -> int:
        """How many units go under both."""
        return int((~self.kept[0] & ~self.kept[1]).sum())

    @property
    def overlap(self) -> float | None:
        """The share of what goes under one that goes under the other too; None where nothing goes."""
        return self.n_both / self.n_pruned if self.n_pruned else None

    @property
    def overlap_by_chance(self) -> float:
        """The overlap to expect of two rankings that know nothing of each other."""
        return self.n_pruned / self.group.n_units if self.group.n_units else 0.0

    def ranks(self) -> tuple[Tensor, Tensor]:
        """(n_units,) each: how many units go before a unit, ties in index order."""
        first, second = (torch.argsort(torch.argsort(s, stable=True)) for s in self.scores)
        return first, second

    def disputes(self, most: int = 20) -> tuple[Dispute, ...]:
        """Units that go under one criterion only, those whose ranks lie furthest apart first."""
        first, second = self.ranks()
        units = torch.nonzero(self.kept[0] != self.kept[1]).flatten()
        apart = (first - second).abs()[units]
        chosen = units[torch.argsort(apart, descending=True, stable=True)[:most]].tolist()
        return tuple(
            Dispute(
                unit,
                (int(first[unit]), int(second[unit])),
                (float(self.scores[0][unit]), float(self.scores[1][unit])),
            )
            for unit in chosen
        )

    def to_json(self) -> JsonDict:
        """Everything but the scores of all units."""
        n_one = self.n_pruned - self.n_both
        return {
            "layer": self.group.name,
            "layers": list(self.group.layers),
            "unit": self.group.unit,
            "n_units": self.group.n_units,
            "criteria": list(self.names),
            "rank_correlation": self.correlation,
            "n_pruned": self.n_pruned,
            "n_under_both": self.n_both,
            "n_under_one_only": n_one,
            "overlap": self.overlap,
            "overlap_by_chance": self.overlap_by_chance,
            "disputes": [{"unit": d.unit, "ranks": d.ranks, "scores": d.scores} for d in self.disputes()],
        }


def compared(both: Mapping[str, Scores], layer: str, *, sparsity: float = 0.5) -> CriteriaCompared:
    """One layer (the name of a group, or of any layer in it) under two criteria; ``both``: name -> scores.

    ``sparsity`` is the share of its units that go under each, at most as many as may go. Raises ExplorerError
    where there is no such layer, or a criterion cannot rank it.
    """
    names = tuple(both)
    if len(names) != 2:
        raise ExplorerError(f"{len(names)} criteria cannot be compared in pairs.", fix="Give two that differ.")
    if not 0 <= sparsity <= 1:
        raise ExplorerError(f"{sparsity:g} is not a share.", fix="Give a level from 0 to 1.")
    groups = [_group(scores, name, layer) for name, scores in both.items()]
    scores = (both[names[0]].values[groups[0].name], both[names[1]].values[groups[1].name])
    n_pruned = min(round(sparsity * groups[0].n_units), groups[0].n_may_go)
    kept = (keep_mask(scores[0], n_pruned), keep_mask(scores[1], n_pruned))
    return CriteriaCompared(groups[0], (names[0], names[1]), scores, kept, spearman(*scores), n_pruned)


def compare_criteria(
    model: LoadedModel,
    spec: PruneSpec,
    against: str | Criterion,
    layer: str,
    data: Dataset | None = None,
    *,
    sparsity: float = 0.5,
) -> CriteriaCompared:
    """One layer under the criterion of ``spec`` and under another; see :func:`compared`."""
    other = PruneSpec(spec.granularity, get(against))
    both = {name: score(model, s, data) for name, s in zip(names_of(spec, other), (spec, other), strict=True)}
    return compared(both, layer, sparsity=sparsity)


def names_of(first: PruneSpec, second: PruneSpec) -> tuple[str, str]:
    """What both criteria are called: their labels, with their parameters where one label would mean both."""
    a, b = first.criterion, second.criterion
    if a == b:
        raise ExplorerError(f"{a.label} agrees with itself.", fix="Compare two criteria that differ.")
    return (a.label, b.label) if a.label != b.label else (_apart(first, second), _apart(second, first))


def _apart(one: PruneSpec, other: PruneSpec) -> str:
    """The label with the parameters in which it differs from the other's."""
    values, theirs = one.to_json()["criterion"], other.to_json()["criterion"]
    return ", ".join([one.criterion.label, *(f"{k}={v}" for k, v in values.items() if v != theirs.get(k))])


def _group(scores: Scores, name: str, layer: str) -> PruningGroup:
    groups = [group for group in scores.groups if group.name == layer] or [
        k for k in scores.groups if layer in k.layers
    ]
    if not groups:
        names = ", ".join(group.name for group in scores.groups[:6])
        raise ExplorerError(f"This model has no layer called {layer!r}.", fix=f"Choose one of: {names}.")
    if groups[0].why_not is not None:
        raise ExplorerError(
            f"{name} cannot rank {layer!r}.", why=groups[0].why_not, fix="Choose another layer or another criterion."
        )
    return groups[0]
