"""Threads that compute with one torch thread each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import ParamSpec, TypeVar

import torch

from explorer.types.code_limit import did_not_come_back
from explorer.types.own_thread import OwnThread

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
        worker = getattr(self._own, "worker", None) or OwnThread("evaluate", _use_one_core)
        self._own.worker = None
        answer: Future[T] = worker.do(job)
        if not wait((answer,), self._seconds).done:
            raise did_not_come_back("A piece of its evaluation", self._seconds)
        self._own.worker = worker
        return answer.result()


def _use_one_core() -> None:
    # The count is kept per thread, but also as the default for threads yet to come: the
    # default is put back by a thread made for that alone.
    with _LOCK:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        restorer = threading.Thread(target=torch.set_num_threads, args=(before,))
        restorer.start()
        restorer.join()
