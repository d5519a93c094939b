"""A thread that does one piece of work after another, that nobody has to wait for, and that ends before Python does."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
Jobs = SimpleQueue[Callable[[], None] | None]
_MOMENT_S = 0.2


class OwnThread:
    """It begins with ``first`` and ends with the process, or when nobody holds this any more.

    >>> OwnThread("example").do(lambda: 6 * 7).result()
    42
    """

    def __init__(self, name: str, first: Callable[[], None] | None = None) -> None:
        self._jobs: Jobs = SimpleQueue()
        if first is not None:
            self._jobs.put(first)
        self._thread = threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True)
        self._thread.start()
        _QUEUES[self._thread] = self._jobs

    def do(self, job: Callable[[], T]) -> Future[T]:
        """What will be known when the thread has done this."""
        answer: Future[T] = Future()
        self._jobs.put(partial(_answer, answer, job))
        return answer

    def end(self) -> None:
        """Let the thread end, and wait a moment for it; one that does not come back is left behind."""
        _end(self._thread, self._jobs)

    def __del__(self) -> None:
        self._jobs.put(None)


# By thread, not by holder: a thread whose holder has gone may still be on its way out when Python ends.
_QUEUES: WeakKeyDictionary[threading.Thread, Jobs] = WeakKeyDictionary()


@atexit.register
def _end_all() -> None:
    # A thread that Python's own end tears out of torch aborts the process.
    for thread, jobs in list(_QUEUES.items()):
        _end(thread, jobs)


def _end(thread: threading.Thread, jobs: Jobs) -> None:
    jobs.put(None)
    thread.join(timeout=_MOMENT_S)


def _work(jobs: Jobs) -> None:
    while (job := jobs.get()) is not None:
        job()


def _answer(answer: Future[T], job: Callable[[], T]) -> None:
    try:
        answer.set_result(job())
    except BaseException as error:  # noqa: BLE001 - carried over to who waits
        answer.set_exception(error)
