"""A limit on following a model's code into a graph: how many steps there may be, and how long that may compute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explorer.types.endless import ended
from explorer.types.stopping import check, is_stopped

MOST_STEPS = 100_000  # large networks have some thousand
SECONDS = 60.0  # of computing in one thread, so that a busy machine gives up no earlier than a quiet one


class TooMuchError(BaseException):
    """Following the code was given up; the text says why. No Exception: the model's own code must not catch it."""


class _EndlessError(BaseException):
    """Thrown into code whose time is over, without a word: the thread that throws cannot give it any."""


class _StoppedError(BaseException):
    """Thrown into code that follows a stop no longer."""


class StepLimit:
    """Counts the steps of one attempt after another, all of them together within the time."""

    def __init__(self) -> None:
        self._ends = time.thread_time() + SECONDS
        self._n_steps = 0

    def again(self) -> StepLimit:
        """The same for another attempt: its steps are counted from none."""
        self._n_steps = 0
        return self

    def step(self) -> None:
        """Count one; raises TooMuchError where it is one too many, and Stopped where the work was stopped."""
        check()
        self._n_steps += 1
        if self._n_steps > MOST_STEPS:
            raise TooMuchError(f"its forward takes more than {MOST_STEPS:,} steps")
        if time.thread_time() > self._ends:
            raise self._too_long()

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """Within it the time and a stop count for code, too, that loops for ever and takes no step."""
        used, stopped = _clock_of_this_thread(), is_stopped()

        def reason() -> type[BaseException] | None:
            return _StoppedError if stopped() else _EndlessError if used() > self._ends else None

        try:
            with ended(reason):
                yield
        except _StoppedError:
            check()
            raise
        except _EndlessError:
            raise self._too_long() from None

    def _too_long(self) -> TooMuchError:
        return TooMuchError(f"following its forward takes more than {SECONDS:g} s")


def _clock_of_this_thread() -> Callable[[], float]:
    """What this thread has computed, to be asked by another one; by the clock where the system does not tell."""
    if hasattr(time, "pthread_getcpuclockid"):
        clock = time.pthread_getcpuclockid(threading.get_ident())
        return lambda: time.clock_gettime(clock)
    began, computed = time.monotonic(), time.thread_time()
    return lambda: computed + time.monotonic() - began
