"""Code in Python that never comes back is ended from outside: an exception is thrown into the thread that runs it.

It ends loops and recursions of Python code. A single call into C that does not return, such as a sleep, is not ended,
and neither is code that catches every ``BaseException`` again and again.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

POLL = 0.1  # seconds between two looks
_MOST_THROWS = 50  # of those that catch everything, some let go when they are asked again

Reason = Callable[[], type[BaseException] | None]


@contextmanager
def ended(reason: Reason) -> Iterator[None]:
    """While it lasts, ``reason`` is asked by another thread; the exception that it names is raised in this one."""
    watch = _Watch(reason)
    try:
        threading.Thread(target=watch.look, name="watch of code", daemon=True).start()
        yield
    finally:
        watch.end()


class _Watch:
    """Looks after the thread that made it, until that thread ends the watch."""

    def __init__(self, reason: Reason) -> None:
        self._reason, self._thread = reason, threading.get_ident()
        self._is_over = threading.Event()
        self._lock = threading.Lock()
        self._thrown: type[BaseException] | None = None

    def look(self) -> None:
        """In a thread of its own: throw what the reason names, and again where it was caught."""
        n_thrown = 0
        while n_thrown < _MOST_THROWS and not self._is_over.wait(POLL):
            error = self._reason()
            if error is None:
                continue
            with self._lock:
                if not self._is_over.is_set():
                    self._thrown = error
                    _throw(self._thread, error)
            n_thrown += 1

    def end(self) -> None:
        """Nothing is thrown any more, nor what was thrown and has not arrived. It may arrive here, at any place."""
        while not self._is_over.is_set():
            with suppress(*([self._thrown] if self._thrown else [])), self._lock:
                self._is_over.set()
                _throw(self._thread, None)


def _throw(thread: int, error: type[BaseException] | None) -> None:
    """Raise it at the thread's next step of Python code; None takes back what has not arrived."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
