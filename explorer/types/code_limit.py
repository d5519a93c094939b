"""A limit on the user's own code: who waits for it goes on without an answer once it is over."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from explorer.errors import ExplorerError
from explorer.types.own_thread import OwnThread
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
        self._is_over = False
        self._thread = OwnThread("own code") if seconds else None

    def __enter__(self) -> Limited:
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread is not None:
            self._thread.end()

    def __call__(self, job: Callable[[], T], times: int = 1) -> T:
        """What ``job`` gives; ``times``: how many passes of the user's code are in it, each with the whole limit."""
        if self._thread is None or not self._seconds:
            return job()
        if self._is_over:
            raise did_not_come_back(self._what, self._seconds)
        return self._wait(self._thread.do(carried(job)), self._seconds * times)

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
