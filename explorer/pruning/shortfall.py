"""What was asked and what was reached: where the two differ, both are given in their own unit, and every reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.pruning.allocation import Bounds
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.scoring import why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.text.numbers import count, percent
from explorer.types import LayerInfo, PruningGroup, Scores


@dataclass(frozen=True)
class Counts:
    """How many units of each group may go, were asked for, and go."""

    bounds: Mapping[str, Bounds]
    asked: Mapping[str, int]
    reached: Mapping[str, int]

    @property
    def moving(self) -> list[str]:
        """The groups that are neither locked nor fixed."""
        return [name for name, b in self.bounds.items() if b.low < b.high]


def check_units(spec: PruneSpec, scores: Scores) -> None:
    """ExplorerError where something is to go, and the network has no unit of that kind that could."""
    asks_for_nothing = spec.allocation == type(spec.allocation)()
    why = None if asks_for_nothing else why_no_units(scores)
    if why is not None:
        raise ExplorerError(
            f"Not one {spec.granularity.unit} of this network can go.",
            why=why,
            fix="Choose another granularity or criterion.",
        )


@dataclass(frozen=True)
class Shortfall:
    """One request with what came of it; ``masks`` are those of the plan."""

    spec: PruneSpec
    scores: Scores
    counts: Counts
    masks: Mapping[str, Tensor]
    is_locked: Callable[[PruningGroup], bool]

    def notes(self) -> list[str]:
        """One sentence each: the two shares where they differ, and every reason why they do."""
        if self.scores.groups and not self.counts.bounds:
            return [f"This network has no {self.spec.granularity.unit} that can go; every layer says why."]
        differs = percent(self.asked) != percent(self._n_pruned / max(1, self.scores.layers.n_prunable))
        notes = [self._in_numbers()] if differs else []
        notes += self._held(differs)
        return notes + (list(self._not_of_limits()) if differs else []) + self._rounding()

    def before(self, most: Mapping[str, int]) -> Iterator[str]:
        """What can go at most (``most`` weights by parameter), and what cannot, before anything is asked for."""
        n, n_all = sum(most.values()), self.scores.layers.n_prunable
        if n == n_all:
            return
        yield f"At most {count(n)} of {count(n_all)} weights ({percent(n / n_all)}) can go with {self._unit}s."
        locked = [g.name for g in self.scores.groups if g.name in self.counts.bounds and self.is_locked(g)]
        if locked:
            yield f"Locked, so not moved: {few(locked)}."
        yield from self._fixed(most)

    @property
    def _unit(self) -> str:
        return self.spec.granularity.unit

    @property
    def _sizes(self) -> dict[str, int]:
        return {name: values.numel() for name, values in self.scores.values.items()}

    @property
    def asked(self) -> float:
        """The share of the units that was asked for: of those that are neither locked nor fixed."""
        sparsity = getattr(self.spec.allocation, "sparsity", None)
        if sparsity is not None and not getattr(self.spec.allocation, "shares", ()):
            return float(sparsity)
        n_asked, n_all = self._units(self.counts.asked)
        return n_asked / n_all if n_all else 0.0

    @property
    def _n_pruned(self) -> int:
        layers = self.scores.layers.prunable
        if self.spec.granularity.unit == "weight":
            return sum(self.counts.reached.values())
        return sum(self._n_pruned_in(layer) for layer in layers)

    def _n_pruned_in(self, layer: LayerInfo) -> int:
        return self._n_zeros.get(layer.parameter, 0)

    @cached_property
    def _n_zeros(self) -> dict[str, int]:
        """How many weights of each parameter go: counted once, for masks are as large as the network."""
        return {name: mask.numel() - int(torch.count_nonzero(mask)) for name, mask in self.masks.items()}

    def _in_numbers(self) -> str:
        n, n_weights = self._n_pruned, self.scores.layers.n_prunable
        weights = f"{count(n)} of {count(n_weights)} weights"
        unit, share = self.spec.granularity.unit, percent(n / max(1, n_weights))
        if unit == "weight":
            return f"Asked {percent(self.asked)} of the weights that may go, reached {share} of all: {weights} go."
        n_units, n_all = self._units(self.counts.reached)
        units = f"{count(n_units)} of {count(n_all)} ({percent(n_units / max(1, n_all))})"
        asked = f"Asked {percent(self.asked)} of the {unit}s that may go, reached {units}"
        return f"{asked}; with them go {weights} ({share})."

    def _units(self, counts: Mapping[str, int]) -> tuple[int, int]:
        moving, sizes = self.counts.moving, self._sizes
        return sum(counts.get(name, 0) for name in moving), sum(sizes[name] for name in moving)

    def _held(self, differs: bool) -> list[str]:
        """Groups that locks, limits and the one unit that stays kept from what was asked of them."""
        bounds, groups = self.counts.bounds, self.scores.groups
        short = [name for name, n in self.counts.asked.items() if n != bounds[name].clamp(n)]
        locked = [g.name for g in groups if g.name in bounds and self.is_locked(g) and (differs or g.name in short)]
        limited = {name for name, _ in self.spec.limits}
        held = [name for name in short if name in limited and name not in locked]
        whole = [name for name in short if name not in limited and name not in locked]
        reasons = (
            ("Locked, so not moved", locked),
            ("Held by a floor or a cap", held),
            ("At least one unit stays in every layer", whole),
        )
        return [f"{reason}: {few(names)}." for reason, names in reasons if names]

    def _not_of_limits(self) -> Iterator[str]:
        """What keeps shares of units and shares of weights apart without anyone's limit."""
        n_asked, n_all = self._units(self.counts.asked)
        if n_all and percent(n_asked / n_all) != percent(self.asked):
            yield f"Only whole {self.spec.granularity.unit}s go, so {count(n_asked)} of {count(n_all)} were asked for."
        if self.spec.granularity.unit == "weight":
            return
        yield from self._fixed(self._n_zeros)
        if isinstance(self.spec.granularity, NOfM):
            n, m = self.spec.granularity.n, self.spec.granularity.m
            yield f"A group that goes loses {m - n} of its {m} weights."
        elif self._n_pruned:
            yield f"Not every {self.spec.granularity.unit} holds as many weights, those that read it included."

    def _fixed(self, gone: Mapping[str, int]) -> Iterator[str]:
        """Layers with weights that are no part of any unit that may go; ``gone`` counts what goes of each parameter."""
        movable = {name for group in self.scores.groups if group.why_not is None for name in group.layers}
        fixed = [
            layer
            for layer in self.scores.layers.prunable
            if layer.name not in movable and not gone.get(layer.parameter)
        ]
        if not fixed:
            return
        n, names = count(sum(layer.n_weights for layer in fixed)), few([layer.name for layer in fixed])
        of_layer = {name: group.why_not for group in self.scores.groups for name in group.layers if group.why_not}
        weights: Counter[str] = Counter()
        for layer in fixed:
            weights[of_layer.get(layer.name) or ""] += layer.n_weights
        why = max(weights, key=lambda reason: weights[reason])  # of several reasons that of most weights
        yield f"{n} weights are in layers without a {self.spec.granularity.unit} that may go: {names}. {why}".strip()

    def _rounding(self) -> list[str]:
        step = int(getattr(self.spec.granularity, "round_to", 1))
        (n_asked, n_all), (n_reached, _) = self._units(self.counts.asked), self._units(self.counts.reached)
        if step == 1 or not n_all:
            return []
        shares = f"asked {percent(n_asked / n_all)}, reached {percent(n_reached / n_all)} of the units"
        return [f"What stays in each layer is rounded up to a multiple of {step}: {shares}."]


def few(names: list[str]) -> str:
    """The first three names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
