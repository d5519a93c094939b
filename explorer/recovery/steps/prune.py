"""Prune, or prune further."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import Refusal
from explorer.params import nested_param
from explorer.pruning.spec import PruneSpec
from explorer.recovery.context import RecoveryContext
from explorer.recovery.masking import pruned
from explorer.recovery.state import RecoveryProgress, State
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Prune:
    """Score the weights of now and prune to the request's overall level; what is pruned stays pruned.

    Weak where much goes at once and nothing is trained in between: what is left may answer one class to
    everything.
    """

    key: ClassVar[str] = "prune"
    label: ClassVar[str] = "Prune"
    n_epochs: ClassVar[int] = 0
    spec: PruneSpec = nested_param(PruneSpec.from_json, "What to prune")

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Any model can be pruned; what a criterion lacks is said when it looks."""
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The pruned state, measured before anything recovers it."""
        after = pruned(state, self.spec, context.data)
        yield context.final_progress(after, notes=(*_held(state), *(after.plan.notes if after.plan else ())))
        return after


def _held(state: State) -> tuple[str, ...]:
    """That zeros the network came with are held, where this is the first pruning."""
    n = 0 if state.plan is not None else sum(int((~mask).sum()) for mask in state.masks.values())
    return (f"{n:,} weights were already zero: they count as pruned and are held.",) if n else ()
