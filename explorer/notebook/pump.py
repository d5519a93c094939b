"""One thread that does what a widget asks, in order; the kernel hands it over and goes on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

Task = Callable[[], None]
Idle = Callable[[], bool]

_PULSE_S = 0.04


class Pump:
    """Runs tasks one after the other; between them ``look`` is called while it says that more is to come.

    A task that fails is logged and takes no other with it. The thread ends with :meth:`close`.
    """

    def __init__(self, look: Idle, name: str = "notebook") -> None:
        self._look = look
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether its thread still runs."""
        return self._thread.is_alive()

    def post(self, task: Task) -> None:
        """Have this done; returns at once. After :meth:`close` nothing is done any more."""
        if not self._is_closed:
            self._tasks.put(task)

    def close(self) -> None:
        """End the thread after the task it is in."""
        self._is_closed = True
        self._tasks.put(None)

    def join(self, timeout: float) -> None:
        """Wait until the thread has ended, at most so many seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        more = False
        while True:
            try:
                task = self._tasks.get(timeout=_PULSE_S if more else None)
            except queue.Empty:
                task = _nothing
            if task is None or self._is_closed:
                return
            more = self._done(task)

    def _done(self, task: Task) -> bool:
        try:
            task()
            return self._look()
        except Exception:  # the next task is done all the same
            logging.getLogger(__name__).exception("A notebook's request could not be done.")
            return False


def _nothing() -> None:
    """What is done where nothing was asked: only the look that follows."""
