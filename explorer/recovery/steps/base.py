"""What every step of a recipe offers."""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar, Protocol, runtime_checkable

from explorer.errors import Refusal
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State
from explorer.types import Dataset, LoadedModel


@runtime_checkable
class Step(Protocol):
    """One thing that is done to a network. Fields are its parameters.

    ``n_epochs`` is how many epochs it trains (0: none). ``run`` yields how far it is and returns the state it
    leaves; it writes to nothing that it was given. Closing the generator stops it.
    """

    key: ClassVar[str]
    label: ClassVar[str]

    @property
    def n_epochs(self) -> int:
        """How many epochs it trains."""
        ...

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Why it cannot be done to this model with this data; None where it can."""
        ...

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """Do it."""
        ...
