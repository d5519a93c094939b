"""What goes and what stays: units, their scores, and the masks that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

from torch import Tensor, nn

from explorer.types.aliases import JsonObject
from explorer.types.brief import Brief
from explorer.types.models import LayerInfo, LayerTable
from explorer.types.small import is_small, joined, not_all_true, small_by_type

_ALL_MAY_GO = ("weight", "group", "residual block", "layer block")


@dataclass(frozen=True, eq=False)
class Part:
    """Where the units of a group live in one parameter.

    Index i along ``dim`` belongs to unit ``units[i]`` (-1: to none of this group's units).
    ``role``: "scored" rows decide how important a unit is; "follows" (biases, batch norm) and
    "consumes" (the next layers' input columns) go with it.
    """

    parameter: str
    dim: int
    units: Tensor
    role: Literal["scored", "follows", "consumes"]


@dataclass(frozen=True, repr=False)
class PruningGroup(Brief):
    """What one threshold line controls: one layer's weights, or one coupled set of channels.

    ``layers`` are the names of the layers whose units are scored; ``unit`` is the word for one
    unit ("weight", "channel", "head", ...); ``n_weights`` counts the scored weights. ``why_not``
    says why the line cannot be moved, ``locked_by`` why it is locked by default (the user may
    unlock it). ``unit_names``: what each unit is called, where units have names (blocks).
    """

    name: str
    layers: tuple[str, ...]
    n_units: int
    unit: str
    n_weights: int
    block: str
    kind: str
    why_not: str | None = None
    locked_by: str | None = None
    coupled_by: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=(), compare=False, repr=False)
    unit_names: tuple[str, ...] = ()

    @property
    def n_may_go(self) -> int:
        """How many of its units may go. A layer without a single channel passes nothing on: one always stays.

        All weights may go, all groups may take their pattern, and all blocks leave their shortcuts.
        """
        return self.n_units if self.unit in _ALL_MAY_GO else max(0, self.n_units - 1)


class Ranking(Protocol):
    """Exact look-ups in one group's scores (``engine.order.Magnitudes``)."""

    def count_below(self, value: float) -> int: ...

    def kth_smallest(self, k: int) -> float: ...


class OutlierShares(Protocol):
    """How many outliers the blocks of a model have (``pruning.outliers.Outliers``)."""

    def shares(self, multiple: float) -> Mapping[str, float]:
        """By group: of all weights of its block, the share above ``multiple`` times the block's mean."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Brief):
    """``values[group.name]``: (n_units,) float, finite; higher means more important.

    Groups whose line cannot be moved (``why_not``) have no values. ``ranks`` answers threshold
    and count look-ups in microseconds. ``deviations`` holds the
    standard deviation that thresholds given in that unit refer to: of the scored weights where
    scores are magnitudes, else of the scores. ``within`` ranks single weights inside a unit
    (by parameter), where the unit's pattern follows the criterion and not the weights.
    ``evidence`` is what a criterion that looks at data saw of ``n_seen`` samples; ``source``
    names those samples ("" where none were looked at). ``outliers`` tells blocks apart by their extreme weights.
    """

    groups: tuple[PruningGroup, ...]
    values: Mapping[str, Tensor]
    layers: LayerTable
    ranks: Mapping[str, Ranking]
    deviations: Mapping[str, float]
    within: Mapping[str, Tensor] = field(default_factory=dict)
    evidence: Any = None
    n_seen: int = 0
    source: str = ""
    outliers: OutlierShares | None = None

    def _in_brief(self) -> JsonObject:
        return {"groups": len(self.groups), "scored": len(self.values), "n_seen": self.n_seen, "source": self.source}


@dataclass(frozen=True, repr=False)
class GroupPlan(Brief):
    """How many units of one group go. ``threshold`` is the lowest score that is kept.

    ``gone`` are the names of those that go, where units have names.
    """

    group: PruningGroup
    n_pruned: int
    threshold: float
    locked: bool
    gone: tuple[str, ...] = ()

    @property
    def sparsity(self) -> float:
        return self.n_pruned / self.group.n_units if self.group.n_units else 0.0

    def _in_brief(self) -> JsonObject:
        about = {"group": self.group.name, "n_pruned": self.n_pruned, "n_units": self.group.n_units}
        return about | {"threshold": self.threshold, "locked": self.locked}


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Brief):
    """What goes and what stays. ``masks[parameter]``: bool, the parameter's shape, True keeps.

    Parameters without a mask are untouched. Masks may cover parameters that are not prunable
    weights (batch-norm weight and bias, biases, the consumers' input columns) when whole units
    go. ``kept_shapes`` gives each parameter's shape after physical removal (empty when the
    units have no physical form). ``spec`` is the PruneSpec as JSON. ``notes`` say, one sentence
    each, which units go where they have names, and why the request was met only in part; where
    nothing goes, how much could. ``updates`` holds new values of kept weights, by parameter, where
    a criterion makes up for what goes. ``nonzero`` holds masks of the weights that were not zero
    before, for prunable parameters that came with zeros. ``digest``: equal = equal masks and values.
    ``of_units``: the plan of the whole units that go, where single weights of what is left go, too.
    """

    spec: JsonObject
    groups: tuple[GroupPlan, ...]
    masks: Mapping[str, Tensor]
    layers: LayerTable
    asked: float
    digest: str
    kept_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    updates: Mapping[str, Tensor] = field(default_factory=dict)
    nonzero: Mapping[str, Tensor] = field(default_factory=dict)
    of_units: Plan | None = None

    @property
    def cutting(self) -> Plan:
        """The plan whose masks take away whole units: what a smaller network is cut by."""
        return self if self.of_units is None else self.of_units

    @cached_property
    def left(self) -> Mapping[str, Tensor]:
        """Masks of what is left, zeros that were there already taken off: equal to ``masks`` where there were none."""
        left = dict(self.masks)
        for name, nonzero in self.nonzero.items():
            values = self.updates.get(name)
            now = nonzero if values is None else nonzero | (values != 0)
            left[name] = left[name] & now if name in left else now
        return left

    @cached_property
    def cut(self) -> Mapping[str, Tensor]:
        """Those of ``left`` that take anything away."""
        return {name: self.left[name] for name in not_all_true(self.left)}

    def n_pruned_in(self, layer: LayerInfo) -> int:
        return _n_cut(self.masks.get(layer.parameter))

    @cached_property
    def n_pruned(self) -> int:
        """Prunable weights that the plan cuts."""
        return _n_cut_in_all(self._of_prunable(self.masks))

    @property
    def n_already_zero(self) -> int:
        """Prunable weights that were exactly zero before this plan, those that it prunes too included."""
        return sum(map(_n_cut, self.nonzero.values()))

    @cached_property
    def n_zero(self) -> int:
        """Prunable weights that are zero now: pruned by the plan, or zero already."""
        return _n_cut_in_all(self._of_prunable(self.left))

    def _of_prunable(self, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {layer.parameter: masks[layer.parameter] for layer in self.layers.prunable if layer.parameter in masks}

    @property
    def pruned_share(self) -> float:
        """Weights that this plan prunes / prunable weights; ``sparsity`` counts what was zero already, too."""
        return self.n_pruned / self.layers.n_prunable if self.layers.n_prunable else 0.0

    @property
    def sparsity(self) -> float:
        """Zero weights / prunable weights."""
        return self.n_zero / self.layers.n_prunable if self.layers.n_prunable else 0.0

    @property
    def gone(self) -> tuple[str, ...]:
        """The names of the units that go, where units have names."""
        return tuple(name for group in self.groups for name in group.gone)

    @property
    def unit(self) -> str:
        """The word for one unit: "weight", "channel", "head", ..."""
        return self.groups[0].group.unit if self.groups else "weight"

    @property
    def units(self) -> tuple[int, int]:
        """How many units go, of how many that are neither fixed nor locked: what ``asked`` is a share of."""
        moving = [g for g in self.groups if g.group.why_not is None and not g.locked]
        return sum(g.n_pruned for g in moving), sum(g.group.n_units for g in moving)

    @property
    def density(self) -> float:
        return 1.0 - self.sparsity

    def _in_brief(self) -> JsonObject:
        about = {"unit": self.unit, "groups": len(self.groups), "n_pruned": self.n_pruned, "sparsity": self.sparsity}
        return about | {"asked": self.asked, "digest": self.digest}


def _n_cut(mask: Tensor | None) -> int:
    return 0 if mask is None else int(mask.numel() - mask.sum())


def _n_cut_in_all(masks: Mapping[str, Tensor]) -> int:
    """How many are cut in these masks together; small ones are counted together."""
    small = [name for names in small_by_type(masks).values() for name in names]
    together = _n_cut(joined(masks, small)[0]) if small else 0
    return together + sum(_n_cut(mask) for mask in masks.values() if not is_small(mask))


@dataclass(frozen=True, eq=False, repr=False)
class PrunedModel(Brief):
    """A runnable pruned model. ``masked``: same shapes, zeros; ``sliced``: smaller tensors."""

    module: nn.Module
    plan: Plan
    form: Literal["masked", "sliced"]
