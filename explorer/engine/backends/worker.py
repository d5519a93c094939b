"""What a worker does with a queue: take a piece, say that it lives, put the results in their place."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from zlib import crc32

from explorer.engine.backends.base import Performer
from explorer.engine.backends.machine import this_worker
from explorer.engine.backends.queue import BEAT_S, LEASE_S, JobFolder, Lease, Queue, QueueState
from explorer.errors import ExplorerError, out_of_memory
from explorer.types.aliases import JsonDict
from explorer.types.stopping import Stopped, Token, stoppable


@dataclass(frozen=True)
class Terms:
    """How long a worker waits. ``idle_s``: it goes after so long without a piece; None: never."""

    idle_s: float | None = None
    poll_s: float = 0.5
    lease_s: float = LEASE_S
    beat_s: float = BEAT_S


@dataclass
class Worker:
    """One worker of a queue, which takes one piece after the other. ``tell`` hears what it does."""

    queue: Queue
    performer: Performer
    terms: Terms = field(default_factory=Terms)
    tell: Callable[[str], object] = lambda text: None

    def __post_init__(self) -> None:
        self.about: JsonDict = this_worker()
        self.name: str = self.about["worker"]
        self.n_done = 0

    def work(self) -> int:
        """Take pieces until none has come for long; how many were done."""
        last = time.monotonic()
        self.queue.greet(self.about)
        try:
            while True:
                if self._one():
                    last = time.monotonic()
                    continue
                if self.terms.idle_s is not None and time.monotonic() - last >= self.terms.idle_s:
                    return self.n_done
                time.sleep(self.terms.poll_s)
                if time.monotonic() - last > self.terms.beat_s:
                    self.queue.greet(self.about)
        finally:
            self.queue.leave(self.about)

    def _one(self) -> bool:
        """Take one piece of any job and do it; False where there is none."""
        for job in self.queue.jobs():
            if job.is_refused_by(self.name) or job.is_marked("done") or job.is_marked("cancelled"):
                continue
            state = job.state()
            if not state.free:
                job.end_stale(state, self.terms.lease_s)
            elif self._is_welcome(job) and (claim := self._claim(job, state)) is not None:
                self._do(job, claim)
                return True
        return False

    def _is_welcome(self, job: JobFolder) -> bool:
        """Whether model and data of the job are here and the same; if not, that is said before anything is taken."""
        about = job.about
        try:
            if about is None:
                raise ExplorerError("The description of this job cannot be read.", fix="Submit it again.")
            self.performer.open(about)
        except ExplorerError as error:
            logging.getLogger(__name__).exception("a job was refused")
            job.refuse(self.name, str(error))
            self.tell(f"{job.title}: refused. {error}")
            return False
        return True

    def _claim(self, job: JobFolder, state: QueueState) -> Lease | None:
        # Each begins at another place, so that many do not reach for the same piece.
        for key, number in sorted(state.free.items(), key=lambda item: crc32(f"{self.name}{item[0]}".encode())):
            if (claim := job.claim(key, number, self.about)) is not None:
                return claim
        return None

    def _do(self, job: JobFolder, claim: Lease) -> None:
        self.queue.greet(self.about, job.title)
        about = job.about or {}
        try:
            with self._alive(job, claim) as token, stoppable(token):
                values = self.performer.perform(about, claim.work)
            job.finish(claim, values, self.about)
        except (Stopped, KeyboardInterrupt) as stop:
            job.end(claim.key, claim.number, "left", "It was stopped.")
            if isinstance(stop, KeyboardInterrupt):
                raise
        except Exception as error:
            logging.getLogger(__name__).exception("a piece failed")
            reason = error if isinstance(error, ExplorerError) else out_of_memory(error)
            text = f"{type(error).__name__}: {error}" if reason is None else str(reason)
            job.end(claim.key, claim.number, "failed", text)
            self.tell(f"{job.title}: a piece failed. {text}")
        else:
            self.n_done += 1
            self.tell(f"{job.title}: {self.n_done} done here")

    @contextmanager
    def _alive(self, job: JobFolder, claim: Lease) -> Iterator[Token]:
        """While inside, the lease is touched; the token is set when the job is cancelled."""
        token, over = Token(), threading.Event()

        def beat() -> None:
            last = time.monotonic()
            while not over.wait(min(1.0, self.terms.beat_s)):
                if job.is_marked("cancelled"):
                    token.set()
                if time.monotonic() - last >= self.terms.beat_s:
                    last = time.monotonic()
                    job.beat(claim)

        thread = threading.Thread(target=beat, daemon=True, name="heartbeat")
        thread.start()
        try:
            yield token
        finally:
            over.set()
            thread.join()
