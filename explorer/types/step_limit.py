"""A limit on following a model's code into a graph: how many steps there may be, and how long that may compute."""

from __future__ import annotations

import time

from explorer.types.stopping import check

MOST_STEPS = 100_000  # large networks have some thousand
SECONDS = 60.0  # of computing in one thread, so that a busy machine gives up no earlier than a quiet one


class TooMuchError(BaseException):
    """Following the code was given up; the text says why. No Exception: the model's own code must not catch it."""


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
            raise TooMuchError(f"following its forward takes more than {SECONDS:g} s")
