"""What training makes of a pruned network, and of its controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.lessons.measures.base import OfSetting
from explorer.lessons.readings import Reading
from explorer.metrics.size import parameters
from explorer.params import param
from explorer.recovery import recipes
from explorer.recovery.defaults import training_of
from explorer.recovery.recipe import Recipe
from explorer.tasks.context import Context
from explorer.tasks.recovery import RecoveryOutcome, RecoveryRequest

TICKETS = ("ticket", "fresh weights", "shuffled mask", "smaller dense network")


def _accuracy(recipe: Recipe, context: Context) -> Reading:
    outcome = next(
        (result for result in RecoveryRequest(recipe).run(context) if isinstance(result, RecoveryOutcome)), None
    )
    if outcome is None:
        raise ExplorerError("The training ended without a result.", fix="Measure again.")
    return Reading("", outcome.evaluation.accuracy)


@dataclass(frozen=True)
class Trained(OfSetting):
    """The accuracy after pruning and ``epochs`` of fine-tuning with the masks held."""

    key: ClassVar[str] = "trained"

    epochs: int = param(5, "epochs", low=1, high=200)
    seed: int = param(0, "seed", low=0)

    def readings(self, context: Context) -> Iterator[Reading]:
        """One, of the best epoch on tune."""
        tuning = recipes.tuning_for(context.model, context.dataset, epochs=self.epochs)
        yield _accuracy(recipes.one_shot(self.spec, tuning, seed=self.seed), context)


@dataclass(frozen=True)
class Ticket(OfSetting):
    """A lottery ticket or one of its controls, trained for ``epochs`` in each of ``rounds``."""

    key: ClassVar[str] = "ticket"

    which: str = param("ticket", "which network", choices=TICKETS)
    rounds: int = param(3, "rounds", low=1, high=20)
    epochs: int = param(30, "epochs of each round", low=1, high=400)
    seed: int = param(0, "seed", low=0)

    def readings(self, context: Context) -> Iterator[Reading]:
        """One, of the best epoch on tune."""
        training = replace(training_of(context.model, context.dataset), epochs=self.epochs, keep="best")
        controls = {"fresh weights": "reinit", "shuffled mask": "shuffle_mask"}

        def ticket() -> Recipe:
            control = controls.get(self.which, "")
            return recipes.lottery_ticket(self.spec, self.rounds, training, control=control, seed=self.seed)

        def dense() -> Recipe:
            n_left = int(parameters(context.model, self.plan(context))["kept"].value)
            return recipes.dense_from_scratch(context.model, n_left, training, seed=self.seed)

        make: Callable[[], Recipe] = dense if self.which == TICKETS[-1] else ticket
        yield _accuracy(make(), context)
