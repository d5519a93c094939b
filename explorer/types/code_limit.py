"""A limit on the user's own code: who waits for it goes on without an answer once it is over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

from explorer.errors import ExplorerError
from explorer.types.stopping import POLL, carried, check

T = TypeVar("T")


def did_not_come_back(what: str, seconds: float) -> ExplorerError:
    """The refusal of code whose time is over; ``what`` took it."""
    return ExplorerError(
        "The model's own code did not come back.",
        why=f"{what} took longer than {seconds:g} s.",
        fix="Look at its forward, or allow more with --code-timeout SECONDS (in Python code_timeout=SECONDS).",
    )


class Limited:
    """Does one piece of work after another in a thread of its own, each within ``seconds``; None: in the caller's.

    A thread whose time is over is left behind: nothing can end it from outside. Use it in a ``with``.
    """

    def __init__(self, seconds: float | None, what: str) -> None:
        self._seconds, self._what = seconds, what
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="own code", daemon=True) if seconds else None
        if self._thread is not None:
            self._thread.start()

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *error: object) -> None:
        self._jobs.put(None)
        # A thread that ends while Python does can tear the process apart.
        if self._thread is not None and not self._is_over:
            self._thread.join(timeout=POLL)

    def __call__(self, job: Callable[[], T], times: int = 1) -> T:
        """What ``job`` gives; ``times``: how many passes of the user's code are in it, each with the whole limit."""
        if not self._seconds:
            return job()
        if self._is_over:
            raise did_not_come_back(self._what, self._seconds)
        answer: Future[T] = Future()
        function = carried(job)
        self._jobs.put(lambda: _answer(answer, function))
        return self._wait(answer, self._seconds * times)

    def _wait(self, answer: Future[T], seconds: float) -> T:
        for _ in range(max(1, round(seconds / POLL))):
            check()
            try:
                return answer.result(timeout=min(POLL, seconds))
            except TimeoutError:
                if answer.done():
                    raise
        self._is_over = True
        raise did_not_come_back(self._what, self._seconds or 0.0)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _answer(answer: Future[T], job: Callable[[], T]) -> None:
    try:
        answer.set_result(job())
    except BaseException as error:  # noqa: BLE001 - carried over to who waits
        answer.set_exception(error)
