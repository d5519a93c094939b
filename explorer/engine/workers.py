"""Threads that compute with one torch thread each."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from queue import SimpleQueue
from typing import ParamSpec, TypeVar
from weakref import WeakSet

import torch

from explorer.types.code_limit import did_not_come_back

P = ParamSpec("P")
T = TypeVar("T")

_LOCK = threading.Lock()


def n_cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_pool(n_threads: int, seconds: float | None = None) -> ThreadPoolExecutor:
    """A pool whose threads run torch operations on one core each; other threads keep their setting.

    With ``seconds``, a piece of work that takes longer raises ExplorerError; its thread is left behind.
    """
    if seconds:
        return _Watched(n_threads, seconds)
    return ThreadPoolExecutor(n_threads, "evaluate", initializer=_use_one_core)


class _Watched(ThreadPoolExecutor):
    """Each thread of the pool only waits, with a limit, for one that works and that nobody has to wait for."""

    def __init__(self, n_threads: int, seconds: float) -> None:
        super().__init__(n_threads, "wait")
        self._seconds = seconds
        self._own = threading.local()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do this in a working thread, with the limit."""
        return super().submit(self._limited, partial(fn, *args, **kwargs))

    def _limited(self, job: Callable[[], T]) -> T:
        worker = getattr(self._own, "worker", None) or _Worker()
        self._own.worker = None
        answer: Future[T] = worker.start(job)
        if not wait((answer,), self._seconds).done:
            raise did_not_come_back("A piece of its evaluation", self._seconds)
        self._own.worker = worker
        return answer.result()


class _Worker:
    """A thread that computes on one core and ends with the process, or when nobody holds this any more."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=_work, args=(self._jobs,), name="evaluate", daemon=True)
        self._thread.start()
        _ALIVE.add(self)

    def start(self, job: Callable[[], T]) -> Future[T]:
        """What will be known when the thread has done this."""
        answer: Future[T] = Future()
        self._jobs.put(partial(_answer, answer, job))
        return answer

    def end(self) -> None:
        """Let the thread end, and wait a moment for it: torn out by Python's own end it can abort the process."""
        self._jobs.put(None)
        self._thread.join(timeout=0.2)

    def __del__(self) -> None:
        self._jobs.put(None)


_ALIVE: WeakSet[_Worker] = WeakSet()


@atexit.register
def _end_all() -> None:
    for worker in list(_ALIVE):
        worker.end()


def _work(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    _use_one_core()
    while (job := jobs.get()) is not None:
        job()


def _answer(answer: Future[T], job: Callable[[], T]) -> None:
    try:
        answer.set_result(job())
    except BaseException as error:  # noqa: BLE001 - carried over to who waits
        answer.set_exception(error)


def _use_one_core() -> None:
    # The count is kept per thread, but also as the default for threads yet to come: the
    # default is put back by a thread made for that alone.
    with _LOCK:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        restorer = threading.Thread(target=torch.set_num_threads, args=(before,))
        restorer.start()
        restorer.join()
