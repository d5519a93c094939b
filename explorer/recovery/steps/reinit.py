"""Fresh random weights under the same masks: a control."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.errors import Refusal
from explorer.params import param
from explorer.recovery.beginnings import fresh_weights, why_not_fresh
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State, masked_model
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Reinit:
    """The same masks, new random weights: a lottery ticket must do better than this.

    Weak where it is taken for a method: it is a control.

    Source: Frankle & Carbin 2019, arXiv:1803.03635, section 2 (random reinitialisation).
    """

    key: ClassVar[str] = "reinit"
    label: ClassVar[str] = "Fresh random weights"
    n_epochs: ClassVar[int] = 0
    seed: int = param(1, "Seed", low=0, high=2**31 - 1)

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Every layer must say how its weights begin."""
        return why_not_fresh(dense)

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The state with fresh weights."""
        tensors = fresh_weights(state.dense, context.seed_of(self.seed))
        after = replace(state, model=masked_model(state.model, tensors, state.masks))
        yield context.final_progress(after)
        return after
