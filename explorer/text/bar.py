"""A bar for long work that somebody waits for, in a notebook or a terminal; and what was measured is kept."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from explorer.text.numbers import count

T = TypeVar("T")

_WIDE = 24
_GAP_S = 0.1
_active = threading.local()


class BarLine(Protocol):
    """Where the bar is written: one line that is written again and again."""

    def show(self, text: str) -> None:
        """Put this in the place of what stood there."""
        ...

    def end(self, text: str) -> None:
        """The last of it: what is said when the work is over."""
        ...


@dataclass(frozen=True)
class BarSteps:
    """What is counted: the work's name, how many steps it has, and what one was."""

    name: str
    total: int
    is_step: Callable[[Any], bool] = lambda result: True


def tracked(results: Iterator[T], steps: BarSteps, progress: bool | None = None) -> Iterator[T]:
    """The same results, one after the other, beside a bar with the time that is left.

    ``progress``: None shows it where Python is used by hand (a notebook, an interactive prompt). While it is shown an
    interrupt (Ctrl+C, *Interrupt* in a notebook) ends the work, and what was measured is kept; without it an interrupt
    is raised as usual. Work inside other work has no bar of its own.
    """
    is_shown = _is_by_hand() if progress is None else progress
    if not is_shown or threading.current_thread() is not threading.main_thread():
        return results
    return _with_bar(results, steps)


def _with_bar(results: Iterator[T], steps: BarSteps) -> Iterator[T]:
    if getattr(_active, "bar", False):
        yield from results
        return
    line, begin, done, shown = _line(), time.monotonic(), 0, -1.0
    _active.bar, last = True, ""
    try:
        while True:
            now = time.monotonic() - begin
            if now - shown > _GAP_S:
                line.show(text_of(steps, done, now))
                shown = now
            try:
                result = next(results)
            except StopIteration:
                last = f"{steps.name}: {count(done)} in {_clock(time.monotonic() - begin)}"
                return
            except KeyboardInterrupt:
                far = f"{count(done)} of {count(steps.total)}"
                last = f"{steps.name}: stopped after {far}; what was measured is kept"
                return
            done += steps.is_step(result)
            yield result
    finally:
        line.end(last or text_of(steps, done, time.monotonic() - begin))
        _active.bar = False


def text_of(steps: BarSteps, done: int, seconds: float) -> str:
    """The bar as text: ``scan  [██████      ]  12 of 40, 0:32 left``."""
    share = min(1.0, done / steps.total) if steps.total else 0.0
    full = round(_WIDE * share)
    left = f", {_clock(seconds * (1 - share) / share)} left" if 0 < share < 1 else ""
    return f"{steps.name} [{'█' * full}{' ' * (_WIDE - full)}] {count(done)} of {count(steps.total)}{left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _is_by_hand() -> bool:
    """Whether somebody types: in a notebook, in IPython, or at Python's own prompt."""
    ipython = sys.modules.get("IPython")
    return hasattr(sys, "ps1") or (ipython is not None and ipython.get_ipython() is not None)


def _line() -> BarLine:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return _InNotebook() if hasattr(shell, "kernel") else _InTerminal()


class _InTerminal:
    """One line on standard error."""

    def __init__(self) -> None:
        self._longest = 0

    def show(self, text: str) -> None:
        self._longest = max(self._longest, len(text))
        sys.stderr.write(f"\r{text:<{self._longest}}")
        sys.stderr.flush()

    def end(self, text: str) -> None:
        self.show(text)
        sys.stderr.write("\n")


class _InNotebook:
    """One output of the cell, which is written anew: nothing piles up in what is saved."""

    def __init__(self) -> None:
        from IPython.display import display

        self._place = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def show(self, text: str) -> None:
        self._place.update({"text/plain": text}, raw=True)

    def end(self, text: str) -> None:
        self.show(text)
