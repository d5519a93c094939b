"""Long work in the background: a fair queue, a few workers, progress and cancel.

A job is a generator of results. The queue serves its owners in turn, so that one visitor's ten
scans do not make another's first one wait. A job that fails says why and harms no other.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Literal

import torch

from explorer.errors import ExplorerError
from explorer.store import log_file
from explorer.types.stopping import Stopped, check, stoppable

State = Literal["queued", "running", "done", "failed", "cancelled"]


class Job:
    """One piece of long work. ``results`` grows while it runs and stays when it ends early.

    ``n_done`` counts those of ``total`` that are final, ``n_known`` those of them that were not made but read
    (``from_store``). ``followers`` are all who asked for it, ``owner`` was the
    first of them.
    """

    def __init__(self, key: Hashable, owner: str, title: str, make: Callable[[], Iterator[Any]], total: int) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.key, self.owner, self.title, self.total = key, owner, title, total
        self.state: State = "queued"
        self.error: Exception | None = None
        self.results: list[Any] = []
        self.n_done = self.n_known = 0
        self.started = self.finished = 0.0
        self.followers = {owner}
        self._make: Callable[[], Iterator[Any]] | None = make
        self._stop = threading.Event()
        self._ended = threading.Event()

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def progress(self) -> float:
        """From 0 to 1; by the number of results that were announced."""
        if self.state == "done":
            return 1.0
        return min(1.0, self.n_done / self.total) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated from the pace of what was made so far; None before the first such result."""
        n_made = self.n_done - self.n_known
        if not n_made or not self.active:
            return None
        pace = (time.monotonic() - self.started) / n_made
        return max(0.0, pace * (self.total - self.n_done))

    @property
    def reason(self) -> str:
        """Why it failed: a refusal in its own words, of our own bugs the kind and where their trace is; else empty."""
        if self.error is None:
            return ""
        if isinstance(self.error, ExplorerError):
            return str(self.error)
        return f"This is a bug of the explorer ({type(self.error).__name__}). Its trace is in {log_file.where()}."

    def cancel(self) -> None:
        """Stop at the next check of what is being made; what is there stays."""
        self._stop.set()
        if self.state == "queued":
            self._end("cancelled")

    def refuse(self, error: ExplorerError) -> None:
        """End it before it began."""
        self.error = error
        self._end("failed")

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the job has ended; False when the time ran out first."""
        return self._ended.wait(timeout)

    def _end(self, state: State) -> None:
        self.state = state
        # What it worked on may be large, and ended jobs are kept for long.
        self._make = None
        self.finished = time.monotonic()
        self._ended.set()

    def _run(self) -> None:
        make = self._make
        if self._stop.is_set() or make is None:
            return
        self.started = time.monotonic()
        self.state = "running"
        try:
            with stoppable(self._stop):
                for result in make():
                    self._take(result)
                    check()
        except Stopped:
            self._end("cancelled")
        except ExplorerError as error:
            logging.getLogger(__name__).info("%s was refused: %s", self.title, error, exc_info=True)
            self.error = error
            self._end("failed")
        except Exception as error:  # the reason is kept and shown; the others go on
            logging.getLogger(__name__).exception("%s ended with a bug.", self.title)
            self.error = error
            self._end("failed")
        else:
            self._end("done")

    def _take(self, result: object) -> None:
        self.results.append(result)
        # A result may say that it will come again, better known.
        self.n_done += (complete := bool(getattr(result, "complete", True)))
        self.n_known += complete and bool(getattr(result, "from_store", False))


class JobQueue:
    """Runs jobs on a few threads, owners in turn. Equal keys share one job."""

    def __init__(
        self, n_workers: int | None = None, *, remember: int = 200, most: int = 1000, most_each: int = 1000
    ) -> None:
        # One core stays free for whoever drags a line.
        self._n_workers = n_workers or max(1, (os.cpu_count() or 1) - 1)
        self._remember, self._most, self._most_each = remember, most, most_each
        self._jobs: dict[Hashable, Job] = {}
        self._waiting: dict[str, deque[Job]] = {}
        self._turns: deque[str] = deque()
        self._changed = threading.Condition()
        self._n_threads = 0

    def submit(self, key: Hashable, owner: str, title: str, make: Callable[[], Iterator[Any]], total: int) -> Job:
        """Queue a job, or return the one with this key that is waiting, running or done.

        A job that failed or was cancelled is tried anew. One that is too many, for its owner or for all, has
        failed at once and says so.
        """
        with self._changed:
            earlier = self._jobs.get(key)
            if earlier is not None and (earlier.active or earlier.state == "done"):
                earlier.followers.add(owner)
                return earlier
            job = Job(key, owner, title, make, total)
            self._jobs[key] = job
            self._forget()
            if (refusal := self._too_many(owner)) is not None:
                job.refuse(refusal)
                return job
            if owner not in self._waiting:
                self._waiting[owner] = deque()
                self._turns.append(owner)
            self._waiting[owner].append(job)
            if self._n_threads < self._n_workers:
                self._n_threads += 1
                threading.Thread(target=self._work, daemon=True, name="explorer-job").start()
            self._changed.notify()
        return job

    def of(self, owner: str) -> list[Job]:
        """The jobs that this owner asked for, oldest first; also those that another one had begun before."""
        with self._changed:
            return [job for job in self._jobs.values() if owner in job.followers]

    def find(self, key: Hashable) -> Job | None:
        with self._changed:
            return self._jobs.get(key)

    def drop(self, job: Job) -> None:
        """Let go of an ended job and of all that it found."""
        with self._changed:
            if not job.active and self._jobs.get(job.key) is job:
                del self._jobs[job.key]

    def ended(self) -> list[Job]:
        """The jobs that have ended, the one that ended first first."""
        with self._changed:
            ended = [job for job in self._jobs.values() if not job.active]
        return sorted(ended, key=lambda job: job.finished)

    def _too_many(self, owner: str) -> ExplorerError | None:
        # The new one is among them.
        active = [job for job in self._jobs.values() if job.active]
        n_theirs = sum(job.owner == owner for job in active)
        if n_theirs <= self._most_each and len(active) <= self._most:
            return None
        who, most = ("You have", self._most_each) if n_theirs > self._most_each else ("All visitors have", self._most)
        why = f"This server runs {most} at once{' for each visitor' if who == 'You have' else ''}."
        return ExplorerError(f"{who} too many jobs.", why=why, fix="Stop one, or wait until one has ended.")

    def _forget(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.active]
        for key in ended[: max(0, len(self._jobs) - self._remember)]:
            del self._jobs[key]

    def _next(self) -> Job | None:
        """The next job of the owner whose turn it is; owners without work lose their place."""
        for _ in range(len(self._turns)):
            owner = self._turns[0]
            waiting = self._waiting[owner]
            if not waiting:
                self._turns.popleft()
                del self._waiting[owner]
                continue
            self._turns.rotate(-1)
            return waiting.popleft()
        return None

    def _work(self) -> None:
        torch.set_num_threads(1)
        while True:
            with self._changed:
                job = self._next()
                while job is None:
                    if not self._changed.wait(timeout=5.0):
                        self._n_threads -= 1
                        return
                    job = self._next()
            job._run()
