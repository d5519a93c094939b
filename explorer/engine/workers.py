"""Threads that compute with one torch thread each."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import torch

_LOCK = threading.Lock()


def n_cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_pool(n_threads: int) -> ThreadPoolExecutor:
    """A pool whose threads run torch operations on one core each; other threads keep their setting."""
    return ThreadPoolExecutor(n_threads, "evaluate", initializer=_use_one_core)


def _use_one_core() -> None:
    # The count is kept per thread, but also as the default for threads yet to come: the
    # default is put back by a thread made for that alone.
    with _LOCK:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        restorer = threading.Thread(target=torch.set_num_threads, args=(before,))
        restorer.start()
        restorer.join()
