"""Measures the newest request in the background, for a screen that asks now and then.

The newest request wins, but a running one always gives one partial result before it is
dropped: cancelling at once would leave a long drag without any number.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.types import Evaluation, Plan

_MOST_RESULTS = 64
_GLANCE_S = 0.05  # so often who waits for another one's measurement looks whether it is still of interest
Enough = Callable[[Evaluation], bool]
"""Whether what is known after some samples is all that is asked."""


class Latest(NamedTuple):
    """The newest result: an evaluation (perhaps partial), what went wrong, or None before any.

    ``key`` says which request it answers; ``pending`` that more is to come.
    """

    key: Hashable
    result: Evaluation | Exception | None
    pending: bool


@dataclass(eq=False)
class _Request:
    key: Hashable
    plan: Plan | None
    enough: Enough | None = None

    def is_enough(self, result: Evaluation | Exception | None) -> bool:
        """Whether it need not be measured further than that."""
        return self.enough is not None and isinstance(result, Evaluation) and self.enough(result)

    @property
    def digest(self) -> str:
        return self.plan.digest if self.plan is not None else ""


class Finished:
    """The newest complete answers of one evaluator by the plans' digests: who asks again waits for nothing, and who
    asks while another one's worker measures the same plan sees what that has so far."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Evaluation | ExplorerError] = OrderedDict()
        self._running: dict[str, Evaluation | None] = {}
        self._lock = threading.Condition()

    def get(self, digest: str) -> Evaluation | ExplorerError | None:
        """What was measured of this plan, by whomever."""
        with self._lock:
            if digest in self._answers:
                self._answers.move_to_end(digest)
            return self._answers.get(digest)

    def put(self, digest: str, result: Evaluation | Exception) -> None:
        """Keep it, if it will not change any more."""
        if isinstance(result, ExplorerError) or (isinstance(result, Evaluation) and result.complete):
            with self._lock:
                self._answers[digest] = result
                if len(self._answers) > _MOST_RESULTS:
                    self._answers.popitem(last=False)

    def begin(self, digest: str) -> bool:
        """Whether the caller is to measure this plan: nobody does at the moment."""
        with self._lock:
            is_free = digest not in self._running
            self._running.setdefault(digest, None)
            return is_free

    def so_far(self, digest: str, result: Evaluation) -> None:
        """What whoever measures it has by now."""
        with self._lock:
            self._running[digest] = result
            self._lock.notify_all()

    def end(self, digest: str) -> None:
        """Nobody measures it any more."""
        with self._lock:
            self._running.pop(digest, None)
            self._lock.notify_all()

    def next_of(self, digest: str, last: Evaluation | None) -> tuple[bool, Evaluation | None]:
        """Whether it is still being measured, and what there is of it, as soon as that is other than ``last``."""
        with self._lock:
            self._lock.wait_for(lambda: self._running.get(digest) is not last or digest not in self._running, _GLANCE_S)
            return digest in self._running, self._running.get(digest)


# Of all visitors of an evaluator together: a class that tries the same setting measures it once.
_FINISHED: weakref.WeakKeyDictionary[Evaluator, Finished] = weakref.WeakKeyDictionary()
_THREADS: dict[_Desk, threading.Thread] = {}


def close_all(patience: float) -> bool:
    """End every worker's thread, for a process that is about to end; whether all have ended in time."""
    threads = dict(_THREADS)
    for desk in threads:
        desk.close()
    deadline = time.monotonic() + patience
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads.values())


# A thread that Python's own end tears out of torch aborts the process.
atexit.register(close_all, 2.0)


class LiveWorker:
    """One background thread for one visitor; it ends with :meth:`close` or when nobody holds this.

    ``slots`` is shared by all workers of a server and bounds how many evaluate at a time. Many
    workers may share one evaluator.
    """

    def __init__(self, evaluator: Evaluator, slots: threading.Semaphore | None = None) -> None:
        self._desk = _Desk(_FINISHED.setdefault(evaluator, Finished()))
        parts = (self._desk, evaluator, slots or threading.Semaphore())
        thread = threading.Thread(target=_work, args=parts, name="live", daemon=True)
        _THREADS[self._desk] = thread
        thread.start()
        self._finalizer = weakref.finalize(self, self._desk.close)

    def submit(self, key: Hashable, plan: Plan | None, enough: Enough | None = None) -> None:
        """Ask for a plan's evaluation (None: the dense model's); it takes the place of one still waiting.

        Asking again for the plan that is running changes nothing; a plan that is known already
        is answered at once. It ends with the first result that is ``enough``; by default with the complete one.
        """
        self._desk.submit(_Request(key, plan, enough))

    def latest(self) -> Latest:
        """The newest result, at once."""
        return self._desk.latest()

    def wait(self, timeout: float | None = None) -> Latest:
        """The result when nothing is pending any more, or the newest one after ``timeout`` seconds."""
        return self._desk.wait(timeout)

    def close(self) -> None:
        """End the thread after the batch it is in; results stay."""
        self._desk.close()


class _Desk:
    """What visitor and thread share: the request being served, the one that waits, the results."""

    def __init__(self, finished: Finished) -> None:
        self._changed = threading.Condition()
        self._waiting: _Request | None = None
        self._running: _Request | None = None
        self._closed = False
        self._latest = Latest(None, None, False)
        self.finished = finished
        self._n_asked = 0  # how often the page has asked since the first answer to the running request

    def submit(self, request: _Request) -> None:
        with self._changed:
            self._waiting = None
            if (finished := self.finished.get(request.digest)) is not None:
                self._running = None  # whatever runs is of no interest any more
                self._show(request, finished)
            elif self._running is None and self._latest.key == request.key and request.is_enough(self._latest.result):
                pass
            elif self._running is not None and self._running.digest == request.digest:
                self._running.key, self._running.enough = request.key, request.enough
            else:
                self._waiting = request
            self._changed.notify_all()

    def latest(self) -> Latest:
        with self._changed:
            return self._latest._replace(pending=self._pending())

    def wait(self, timeout: float | None) -> Latest:
        with self._changed:
            self._n_asked += 1
            self._changed.wait_for(lambda: not self._pending(), timeout)
        return self.latest()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait_for_request(self) -> bool:
        """True when there is something to do, False when the desk is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting is not None)
            return not self._closed

    def take(self) -> _Request | None:
        """The waiting request, which is then the running one."""
        with self._changed:
            self._running, self._waiting = self._waiting, None
            self._n_asked = 0
            return self._running

    def post(self, request: _Request, result: Evaluation | Exception) -> None:
        with self._changed:
            self.finished.put(request.digest, result)
            if self._running is request:
                if self._latest.key != request.key:
                    self._n_asked = 0
                self._show(request, result)

    def answered(self, request: _Request) -> bool:
        """Whether another visitor's worker has measured it while this one waited; then it is shown."""
        result = self.finished.get(request.digest)
        if result is not None:
            self.post(request, result)
        return result is not None

    def done(self, request: _Request) -> None:
        with self._changed:
            if self._running is request:
                self._running = None
            self._changed.notify_all()

    def superseded(self, request: _Request) -> bool:
        """True when the running request is of no interest any more."""
        with self._changed:
            return self._closed or self._waiting is not None or self._running is not request

    @property
    def is_closed(self) -> bool:
        """Whether nobody holds the worker any more."""
        with self._changed:
            return self._closed

    def drawn(self) -> bool:
        """Whether the first answer is on the screen: a page that asks once more has drawn what it got."""
        with self._changed:
            return self._n_asked >= 2

    def _show(self, request: _Request, result: Evaluation | Exception) -> None:
        self._latest = Latest(request.key, result, False)
        self._changed.notify_all()

    def _pending(self) -> bool:
        return not self._closed and (self._running is not None or self._waiting is not None)


def _work(desk: _Desk, evaluator: Evaluator, slots: threading.Semaphore) -> None:
    """The thread: it holds the desk, never the worker, so that a forgotten worker can go."""
    try:
        _serve(desk, evaluator, slots)
    finally:
        _THREADS.pop(desk, None)


def _serve(desk: _Desk, evaluator: Evaluator, slots: threading.Semaphore) -> None:
    while desk.wait_for_request():
        with slots:  # taken before the request, so that the newest one is served
            request = desk.take()
            if request is None:
                continue
            try:
                _measure(desk, evaluator, request)
            except Exception as error:  # shown to the visitor; the next request is served
                logging.getLogger(__name__).exception("A plan could not be measured.")
                desk.post(request, error)
            finally:
                desk.done(request)


def _measure(desk: _Desk, evaluator: Evaluator, request: _Request) -> None:
    """Here, unless it is known by now or another visitor's worker is at the same plan."""
    while not desk.answered(request):
        if desk.finished.begin(request.digest):
            try:
                for evaluation in _until_superseded(desk, evaluator, request):
                    desk.finished.so_far(request.digest, evaluation)
                    desk.post(request, evaluation)
            finally:
                desk.finished.end(request.digest)
            return
        if not _followed(desk, request):
            return


def _followed(desk: _Desk, request: _Request) -> bool:
    """Show what another visitor's worker has of the same plan, until that ends; False where it is of no interest any
    more."""
    last: Evaluation | None = None
    while True:
        is_running, result = desk.finished.next_of(request.digest, last)
        if result is not None and result is not last:
            last = result
            desk.post(request, result)
        if desk.superseded(request) and (last is not None or desk.is_closed):
            return False
        if request.is_enough(last):
            return False
        if not is_running:
            return True


def _until_superseded(desk: _Desk, evaluator: Evaluator, request: _Request) -> Iterator[Evaluation]:
    # Until the first answer is drawn a core stays free for the page: on two cores it would be late.
    n = evaluator.threads
    evaluations = evaluator.run(request.plan, threads=lambda: n if desk.drawn() else max(1, n - 1))
    for evaluation in evaluations:
        yield evaluation
        if desk.superseded(request) or request.is_enough(evaluation):
            evaluations.close()
            return
