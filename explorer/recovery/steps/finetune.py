"""Train what is left, with the masks held."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State, masked_model
from explorer.recovery.training import Training
from explorer.recovery.training_run import TrainingRun


@dataclass(frozen=True)
class Finetune(Training):
    """Train the kept weights on fit; pruned ones stay zero, and the best epoch on tune is kept.

    Weak where the pruned network is at chance with dead layers: no gradient flows through them, and no training
    brings them back.

    Source: Han et al. 2015, arXiv:1506.02626, section 3 (retraining).
    """

    key: ClassVar[str] = "finetune"
    label: ClassVar[str] = "Fine-tune"

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The trained state."""
        run = TrainingRun.of(self, state, context)
        yield from run.past
        for _ in run.left():
            yield from run.epoch()
        model = masked_model(state.model, run.result(), state.masks)
        return replace(state, model=model, epochs=state.epochs + self.epochs)
