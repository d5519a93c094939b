"""A narrower dense network at random in place of the trained one: a control."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.errors import ExplorerError, Refusal
from explorer.params import param
from explorer.recovery.context import RecoveryContext
from explorer.recovery.narrower import at_random, narrower
from explorer.recovery.state import RecoveryProgress, State
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Narrow:
    """The same family with every width scaled alike, and random weights: pruning must beat it once it is trained.

    Of these networks it is the one whose count is nearest to ``n_parameters``. Nothing of the trained network is
    left, so a recipe begins with it, and neither prunes nor goes back to first weights after it.

    Weak where a family cannot be made narrower by one number, or it is trained for fewer epochs than what it is
    compared with.

    Source: Liu et al. 2019, arXiv:1810.05270 (training the small network from scratch).
    """

    key: ClassVar[str] = "narrow"
    label: ClassVar[str] = "Narrower network at random"
    n_epochs: ClassVar[int] = 0
    n_parameters: int = param(10_000, "Parameters", low=1, high=2**40, help="About as many are left.")
    seed: int = param(1, "Seed", low=0, high=2**31 - 1)

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Its architecture must say how wide it is."""
        try:
            narrower(dense, self.n_parameters)
        except ExplorerError as error:
            return Refusal.of(error)
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The narrower network, untrained."""
        architecture = narrower(state.dense, self.n_parameters)
        model = at_random(state.dense, architecture, context.seed_of(self.seed))
        after = replace(state, model=model, plan=None, already_zero={})
        yield context.final_progress(after)
        return after
