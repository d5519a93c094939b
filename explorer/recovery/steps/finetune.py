"""Train what is left, with the masks held."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.recovery.state import Progress, State, masked_model
from explorer.recovery.training import Training
from explorer.recovery.training_run import Course
from explorer.recovery.workroom import Room


@dataclass(frozen=True)
class Finetune(Training):
    """Train the kept weights on fit; pruned ones stay zero, and the best epoch on tune is kept.

    Source: Han et al. 2015, arXiv:1506.02626, section 3 (retraining).
    """

    key: ClassVar[str] = "finetune"
    label: ClassVar[str] = "Fine-tune"

    def run(self, state: State, room: Room) -> Generator[Progress, None, State]:
        """The trained state."""
        course = Course.of(self, state, room)
        yield from course.past
        for _ in course.left():
            yield from course.epoch()
        model = masked_model(state.model, course.result(), state.masks)
        return replace(state, model=model, epochs=state.epochs + self.epochs)
