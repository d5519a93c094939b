"""The threads of this process: everything together, on one machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.errors import ExplorerError


@dataclass(frozen=True)
class Threads(Backend):
    """All pieces in this process, which knows the model and the data already."""

    key: ClassVar[str] = "threads"
    form: ClassVar[str] = "threads"

    @classmethod
    def of(cls, place: str) -> Self:
        """It takes no place."""
        if place:
            raise ExplorerError(f"threads takes no {place!r}.", fix="Write threads.")
        return cls()

    def run(self, pieces: Sequence[Piece], job: PieceJob) -> Iterator[Result]:
        """What this process measures, result after result."""
        return job.here(pieces)
