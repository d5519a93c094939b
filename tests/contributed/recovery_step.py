"""A recovery step as somebody adds one: the test of CONTRIBUTING.md puts it among the others."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Rest:
    """Nothing is done.

    Weak where anything is to be recovered.
    """

    key: ClassVar[str] = "rest"
    label: ClassVar[str] = "Rest"
    n_epochs: ClassVar[int] = 0

    def why_not(self, dense: LoadedModel, data: Dataset) -> ExplorerError | None:
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        yield context.final_progress(state, notes=("A rest.",))
        return state
