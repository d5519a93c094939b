"""Stopping long work in its midst.

Whoever starts work that may be stopped opens :func:`stoppable` around it. Whatever can last half a second calls
:func:`check` in its innermost loop: nothing happens unless the work was stopped, then :class:`Stopped` ends it.
Without a token, as on the command line or in a notebook, a check is free and never raises.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

POLL = 0.1  # seconds between two looks at the token while waiting for another thread or process


class Stopped(BaseException):
    """The work was stopped. No error: like KeyboardInterrupt it passes by whoever catches those."""


Token = threading.Event
_TOKEN: ContextVar[Token | None] = ContextVar("stop token", default=None)


@contextmanager
def stoppable(token: Token | None) -> Iterator[None]:
    """What runs inside, in this thread, ends with ``Stopped`` at its next check once ``token`` is set."""
    before = _TOKEN.set(token)
    try:
        yield
    finally:
        _TOKEN.reset(before)


def check() -> None:
    """Raise ``Stopped`` if this work was stopped; about 0.1 microseconds otherwise."""
    token = _TOKEN.get()
    if token is not None and token.is_set():
        raise Stopped


def is_stopped() -> Callable[[], bool]:
    """Whether this work was stopped, for another thread to ask."""
    token = _TOKEN.get()
    return lambda: token is not None and token.is_set()


def carried(function: Callable[P, T]) -> Callable[P, T]:
    """The same function for another thread: it stops with the work that hands it over, not with that thread's own."""
    token = _TOKEN.get()

    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with stoppable(token):
            check()
            return function(*args, **kwargs)

    return run


def result(future: Future[T]) -> T:
    """What another thread gives, or ``Stopped`` soon after the work was stopped, whatever that thread still does."""
    while not future.done():
        check()
        try:
            return future.result(timeout=None if _TOKEN.get() is None else POLL)
        except TimeoutError:
            continue  # one of the function itself comes out below
    return future.result()


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """The lock, held; waiting for it ends with ``Stopped`` when the work is stopped."""
    while not lock.acquire(timeout=-1 if _TOKEN.get() is None else POLL):
        check()
    try:
        yield
    finally:
        lock.release()
