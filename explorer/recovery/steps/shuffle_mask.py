"""A random mask with as many pruned units in each layer: a control."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.errors import ExplorerError, Refusal
from explorer.params import param
from explorer.pruning.allocation import Global
from explorer.pruning.criteria.random import Random
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import Limit, PruneSpec
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State, mask_digest, masked_model
from explorer.types import Dataset, LoadedModel, Plan


@dataclass(frozen=True)
class ShuffleMask:
    """Other units go, as many in each layer: what is left is how much each layer keeps.

    Places that come back take the dense model's values; rewind or draw fresh weights after it.

    Weak where it is taken for a method: it is a control, and it keeps the shares of the layers, which may be
    what matters.

    Source: the random-mask control of Frankle et al. 2021, arXiv:2009.08576 (layerwise shuffling).
    """

    key: ClassVar[str] = "shuffle_mask"
    label: ClassVar[str] = "Random mask of equal layers"
    n_epochs: ClassVar[int] = 0
    seed: int = param(1, "Seed", low=0, high=2**31 - 1)

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Any mask of one granularity can be shuffled; others are refused when they are there."""
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The state under the shuffled mask."""
        if state.plan is None:
            yield context.final_progress(state, notes=("Nothing is pruned yet; there was nothing to shuffle.",))
            return state
        plan = shuffled(state.dense, state.plan, context.seed_of(self.seed))
        tensors = {**state.model.weights, **_returning(state, plan)}
        after = replace(state, model=masked_model(state.model, tensors, plan.masks), plan=plan)
        yield context.final_progress(after)
        return after


def shuffled(model: LoadedModel, plan: Plan, seed: int) -> Plan:
    """A random plan of the same granularity with the same count in every group, and so in every layer."""
    spec = PruneSpec.from_json(plan.spec)
    if plan.of_units is not None:
        raise _more_than_one()
    exact = {k.group.name: _exactly(k.n_pruned, k.group.n_units) for k in plan.groups if k.group.why_not is None}
    drawn = make_plan(model, PruneSpec(spec.granularity, Random(seed), Global(), tuple(exact.items())))
    if any(drawn.n_pruned_in(layer) != plan.n_pruned_in(layer) for layer in plan.layers):
        raise _more_than_one()
    return replace(drawn, spec=plan.spec, asked=plan.asked, digest=mask_digest(drawn.masks), notes=(), nonzero={})


def _more_than_one() -> ExplorerError:
    what, why = "This mask cannot be drawn again at random.", "It was made of units of more than one kind."
    return ExplorerError(what, why=why, fix="Prune with one granularity only.")


def _exactly(n: int, n_units: int) -> Limit:
    share = n / n_units if n_units else 0.0
    return Limit(locked=True, floor=share, cap=share)


def _returning(state: State, plan: Plan) -> dict[str, Tensor]:
    """The dense values at places that were pruned and are not any more."""
    returning = {}
    for name, old in state.masks.items():
        new = plan.masks.get(name)
        back = ~old if new is None else ~old & new
        returning[name] = state.model.weights[name].where(~back, state.dense.weights[name])
    return returning
