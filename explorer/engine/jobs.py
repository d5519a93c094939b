"""Long work in the background: a fair queue, a few workers, progress and cancel.

A job is a generator of results, in a thread of its own that computes while it has a worker's place. It gives the
place up between two results, and the queue passes it on: work asked for by hand before what pages began by
themselves, owners in turn. So nobody's long scan keeps another one's short one waiting for longer than a result
takes. A job that fails says why and harms no other.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import count
from typing import Any, Literal

import torch

from explorer.errors import ExplorerError, out_of_memory
from explorer.store import log_file
from explorer.types.stopping import POLL, Stopped, check, stoppable

_HANDS_IN_A_ROW = 4  # turns of work asked for by hand, before others' curves get one
_NUMBERS = count()

State = Literal["queued", "running", "done", "failed", "cancelled"]


class Job:
    """One piece of long work. ``results`` grows while it runs and stays when it ends early.

    ``n_done`` counts those of ``total`` that are final, ``n_known`` those of them that were not made but read
    (``from_store``). ``followers`` are all who asked for it, ``owner`` was the
    first of them. ``by_hand``: somebody pressed a button for it; else a page began it by itself.
    """

    def __init__(
        self,
        key: Hashable,
        owner: str,
        title: str,
        make: Callable[[], Iterator[Any]],
        total: int,
        *,
        by_hand: bool = True,
    ) -> None:
        self.id, self.number = uuid.uuid4().hex[:12], next(_NUMBERS)
        self.key, self.owner, self.title, self.total = key, owner, title, total
        self.state: State = "queued"
        self.error: Exception | None = None
        self.results: list[Any] = []
        self.n_done = self.n_known = 0
        self.started = self.finished = 0.0
        self.followers = {owner}
        self.by_hand = by_hand
        self._has_place = False  # the queue's: whether it computes now
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
        if (refusal := out_of_memory(self.error)) is not None:
            return str(refusal)
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

    def _run(self, turn: Callable[[], None] = check) -> None:
        make = self._make
        if self._stop.is_set() or make is None:
            return
        self.state = "running"
        try:
            with stoppable(self._stop):
                for result in make():
                    self._take(result)
                    turn()
                    check()
        except Stopped:
            self._end("cancelled")
        except ExplorerError as error:
            logging.getLogger(__name__).info("%s was refused: %s", self.title, error, exc_info=True)
            self.error = error
            self._end("failed")
        except Exception as error:  # the reason is kept and shown; the others go on
            logging.getLogger(__name__).exception("%s ended with an error.", self.title)
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
    """Runs jobs in a few places at a time, owners in turn. Equal keys share one job."""

    def __init__(
        self, n_workers: int | None = None, *, remember: int = 200, most: int = 1000, most_each: int = 1000
    ) -> None:
        # One core stays free for whoever drags a line.
        self._n_workers = n_workers or max(1, (os.cpu_count() or 1) - 1)
        self._remember, self._most, self._most_each = remember, most, most_each
        self._jobs: dict[Hashable, Job] = {}
        self._waiting: list[Job] = []  # for a place, in the order in which they were asked for
        self._running: list[Job] = []
        self._served: dict[str, int] = {}  # the turn in which an owner was served last
        self._turn = self._hands_in_a_row = 0
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        # A thread that Python's own end tears out of torch aborts the process.
        atexit.register(_close, weakref.ref(self))

    def submit(
        self,
        key: Hashable,
        owner: str,
        title: str,
        make: Callable[[], Iterator[Any]],
        total: int,
        *,
        by_hand: bool = True,
    ) -> Job:
        """Queue a job, or return the one with this key that is waiting, running or done.

        A job that failed or was cancelled is tried anew. One that is too many, for its owner or for all, has
        failed at once and says so. What pages begin by themselves (not ``by_hand``) waits behind the rest.
        """
        with self._changed:
            earlier = self._jobs.get(key)
            if earlier is not None and (earlier.active or earlier.state == "done"):
                earlier.followers.add(owner)
                earlier.by_hand |= by_hand
                return earlier
            job = Job(key, owner, title, make, total, by_hand=by_hand)
            self._jobs[key] = job
            self._forget()
            if (refusal := self._too_many(owner)) is not None:
                job.refuse(refusal)
                return job
            self._waiting.append(job)
            self._give_places()
        return job

    def ahead(self, job: Job) -> list[Job]:
        """What runs while ``job`` waits, and then what will be served before it; empty where it does not wait."""
        with self._changed:
            order = self._in_order()
            return [*self._running, *order[: order.index(job)]] if job in order else []

    def abandon(self, owner: str, is_here: Callable[[str], bool]) -> None:
        """``owner`` has gone: their jobs end, but for those that somebody else who ``is_here`` follows as well."""
        with self._changed:
            theirs = [job for job in self._jobs.values() if job.active and owner in job.followers]
        for job in theirs:
            job.followers.discard(owner)
            heir = next((follower for follower in sorted(job.followers) if is_here(follower)), None)
            if heir is None:
                job.cancel()
            elif job.owner == owner:
                job.owner = heir

    def close(self, patience: float = 5.0) -> bool:
        """Stop everything and wait for the threads; whether all have ended in time."""
        with self._changed:
            jobs, threads = list(self._jobs.values()), list(self._threads)
        for job in jobs:
            if job.active:
                job.cancel()
        deadline = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

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

    def _in_order(self) -> list[Job]:
        """Those that wait, as they would be served if nothing else came: by hand first, owners in turn."""
        self._waiting = [job for job in self._waiting if job.active]
        served, left, order = dict(self._served), list(self._waiting), []
        turn, hands = self._turn, self._hands_in_a_row
        while left:
            job = self._first(left, served, hands)
            turn, hands = turn + 1, hands + 1 if job.by_hand else 0
            served[job.owner] = turn
            order.append(job)
            left.remove(job)
        return order

    def _first(self, waiting: list[Job], served: Mapping[str, int], hands: int) -> Job:
        by_hand = [job for job in waiting if job.by_hand]
        busy = {job.owner for job in (*by_hand, *self._running) if job.by_hand}
        # One's own curves wait for one's own scan; others' curves get a turn now and then.
        rest = [job for job in waiting if not job.by_hand and job.owner not in busy]
        chosen = rest if rest and hands >= _HANDS_IN_A_ROW else by_hand or waiting
        return min(chosen, key=lambda job: served.get(job.owner, 0))

    def _give_places(self) -> None:
        self._waiting = [job for job in self._waiting if job.active]
        while self._waiting and len(self._running) < self._n_workers:
            job = self._first(self._waiting, self._served, self._hands_in_a_row)
            self._waiting.remove(job)
            self._running.append(job)
            self._turn += 1
            self._hands_in_a_row = self._hands_in_a_row + 1 if job.by_hand else 0
            self._served[job.owner] = self._turn
            job._has_place = True
            if not job.started:
                job.started = time.monotonic()
                thread = threading.Thread(target=self._work, args=(job,), daemon=True, name="explorer-job")
                self._threads.add(thread)
                thread.start()
        if not self._running:
            self._served.clear()
        self._changed.notify_all()

    def _give_up_place(self, job: Job) -> None:
        job._has_place = False
        self._running.remove(job)

    def _take_turns(self, job: Job) -> None:
        """Between two results: let the next one work, and wait until it is this job's turn again."""
        with self._changed:
            if not any(other.active for other in self._waiting):
                return
            self._give_up_place(job)
            self._waiting.append(job)
            self._waiting.sort(key=lambda each: each.number)
            self._give_places()
            while not job._has_place:
                if job._stop.is_set():
                    self._waiting.remove(job)
                    raise Stopped
                self._changed.wait(timeout=POLL)

    def _work(self, job: Job) -> None:
        torch.set_num_threads(1)
        try:
            job._run(lambda: self._take_turns(job))
        finally:
            with self._changed:
                if job._has_place:
                    self._give_up_place(job)
                self._give_places()
                self._threads.discard(threading.current_thread())


def _close(queue: weakref.ref[JobQueue]) -> None:
    """At the end of the process: jobs end first, as far as they do within two seconds."""
    present = queue()
    if present is not None:
        present.close(2.0)
