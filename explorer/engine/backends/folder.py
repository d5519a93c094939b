"""Machines that share a directory: each runs ``explorer worker``, and this process gathers what they find."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Self

from explorer.engine.backends.base import Backend, Piece, PieceJob, Result
from explorer.engine.backends.queue import LEASE_S, JobFolder, Queue, QueueState
from explorer.errors import ExplorerError
from explorer.types.stopping import check

_SLOWEST_S, _NOBODY_S = 1.0, 5.0


@dataclass(frozen=True)
class SharedFolder(Backend):
    """Workers on any machine that sees ``path``; they may come and go. Nothing of the store lies there.

    ``on_look`` is called at each look at the folder; ``tell`` hears what whoever waits should know.
    """

    key: ClassVar[str] = "folder"
    form: ClassVar[str] = "folder:PATH"

    path: Path
    poll_s: float = 0.05
    lease_s: float = LEASE_S
    on_look: Callable[[], object] = field(default=lambda: None, compare=False)
    tell: Callable[[str], object] = field(default=logging.getLogger(__name__).warning, compare=False)

    @classmethod
    def of(cls, place: str) -> Self:
        """Its path, which is made where it is missing."""
        if not place:
            raise ExplorerError("folder names no place.", fix="Write folder:PATH, of a folder that all machines share.")
        return cls(Path(place).expanduser().absolute())

    def telling(self, tell: Callable[[str], object]) -> Backend:
        """The same folder; that no worker is there goes to ``tell``."""
        return replace(self, tell=tell)

    def run(self, pieces: Sequence[Piece], job: PieceJob) -> Iterator[Result]:
        """The results that workers put there, those of an earlier start first.

        Stopped, it cancels the job there; begun again with the same pieces, it goes on. Killed, workers go on alone.
        """
        files = Queue(self.path).put(pieces, job)
        is_over = False
        try:
            yield from self._gathered(files)
            is_over = True
        finally:
            files.mark("done" if is_over else "cancelled")

    def _gathered(self, files: JobFolder) -> Iterator[Result]:
        given: set[str] = set()
        patience, nobody = self.poll_s, _Nobody(self.path, self.tell)
        while True:
            check()
            self.on_look()
            state, before = files.state(), len(given)
            for key in sorted(state.results - given):
                values = files.values(key)
                if values is None:
                    files.reject(key, files.last_try(key), "The file of its results is damaged.")
                    continue
                given.add(key)
                yield from (Result(key, value) for value in values)
            for key in sorted(state.aside.keys() - given):
                given.add(key)
                yield Result(key, {}, state.aside[key] or "It was tried three times.")
            if len(given) >= len(state.pieces):
                return
            self._look_after(files, state)
            nobody.note(files, is_working=bool(state.leased) or len(given) > before)
            patience = self.poll_s if len(given) > before else min(_SLOWEST_S, patience * 1.2)
            time.sleep(min(patience, 4 * self.poll_s) if state.leased else patience)

    def _look_after(self, files: JobFolder, state: QueueState) -> None:
        if files.is_marked("cancelled"):
            raise ExplorerError(f"{files.title} was cancelled.", fix="Start it again: what is finished stays.")
        files.end_stale(state, self.lease_s)


class _Nobody:
    """Says once that no worker is there, and refuses to wait where all that are there have refused."""

    def __init__(self, path: Path, tell: Callable[[str], object]) -> None:
        self._path, self._tell = path, tell
        self._since, self._is_said = time.monotonic(), False

    def note(self, files: JobFolder, *, is_working: bool) -> None:
        """Look at the workers while nothing goes on."""
        if is_working:
            self._since = time.monotonic()
            return
        refusals = files.refusals()
        workers = {str(worker.get("worker")) for worker in Queue(self._path).workers()} if refusals else set()
        if refusals and workers <= refusals.keys():
            why = next(iter(refusals.values()))
            fix = "Start workers with the same model, data and versions; what is finished stays."
            raise ExplorerError("No worker can do this.", why=why, fix=fix)
        if not self._is_said and time.monotonic() - self._since > _NOBODY_S:
            self._is_said = True
            self._tell(f"Waiting for a worker: run python -m explorer worker {self._path} on each machine.")
