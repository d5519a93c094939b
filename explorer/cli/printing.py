"""What people read on the terminal: aligned tables and numbers on standard output, progress on standard error."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, TextIO

from explorer.text import numbers
from explorer.text.delta import NOTHING_REMOVED, delta_ends, delta_text
from explorer.text.names import clean_terminal as clean_terminal
from explorer.text.numbers import bytes_counted as bytes_counted
from explorer.text.numbers import count as count
from explorer.text.numbers import number as number
from explorer.text.numbers import percent as percent
from explorer.text.numbers import points as points
from explorer.text.numbers import times as times
from explorer.types.aliases import JsonObject

if TYPE_CHECKING:
    from explorer.types import Finding, Measurement, TradeOffPoint

# As explorer.types.results has them; importing that here would load torch for --help.
_FIRST_NAMES = ("accuracy", "agreement", "r2")
_SIMPLER = str.maketrans(
    {"−": "-", "–": "-", "×": "x", "±": "+-", "Δ": "delta", "≈": "~", "·": "-", "…": "...", "∞": "inf"}
)
_CONTROL = {code: "�" for code in [*range(32), *range(127, 160)]}


class _Results:
    """Where results go: standard output, also while everything else that is printed goes to standard error."""

    reserved: TextIO | None = None

    @property
    def stream(self) -> TextIO:
        return self.reserved or sys.stdout


_RESULTS = _Results()


@contextmanager
def standard_output_for_results() -> Iterator[None]:
    """What the user's own code prints goes to standard error, from Python and from below it."""
    sys.stdout.flush()
    _RESULTS.reserved, descriptor = _reserved()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _RESULTS.reserved.flush()
        if descriptor is not None:
            os.dup2(descriptor, 1)
            _RESULTS.reserved.close()
        _RESULTS.reserved = None


def _reserved() -> tuple[TextIO, int | None]:
    """A stream to the present standard output, and its descriptor where 1 now leads to standard error."""
    try:
        if (sys.stdout.fileno(), sys.stderr.fileno()) != (1, 2):
            return sys.stdout, None
    except (OSError, ValueError):  # replaced by something without a descriptor
        return sys.stdout, None
    descriptor = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(descriptor, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors), descriptor


def say(*lines: str) -> None:
    """Lines on standard output."""
    _RESULTS.stream.write(_writable("".join(f"{line}\n" for line in lines), _RESULTS.stream))


def say_json(value: JsonObject) -> None:
    """One JSON object on standard output; what JSON cannot hold is a bug of ours."""
    _RESULTS.stream.write(json.dumps(value, allow_nan=False) + "\n")


def note(line: str) -> None:
    """One line on standard error."""
    sys.stderr.write(_writable(f"{line}\n", sys.stderr))


def _writable(text: str, stream: TextIO) -> str:
    """The text in letters that the terminal's encoding has: not every one knows a minus sign."""
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_SIMPLER).encode(encoding, "replace").decode(encoding)
    return text


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1) -> list[str]:
    """Aligned lines; the first ``left`` columns to the left, the others to the right."""
    cells = [list(head), *map(_printable, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    line = "  ".join(f"{{:{'<' if i < left else '>'}{width}}}" for i, width in enumerate(widths))
    lines = [line.format(*row).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]


def _printable(row: Sequence[object]) -> list[str]:
    """The cells as text; looked at one by one only where something in the row does not print."""
    cells = [str(cell) for cell in row]
    return cells if "".join(cells).isprintable() else [clean_terminal(cell) for cell in cells]


def interval(m: Measurement) -> str:
    """``98.0 – 99.5%, n = 450``."""
    bounds = numbers.interval(m)
    return ", ".join(part for part in (bounds, f"n = {m.n:,}" if m.n is not None else "") if part)


def delta(drop: Measurement) -> tuple[str, str]:
    """A drop as the change that it is, and its interval: ``−0.4 pt``, ``−1.5 to +0.6 pt, n = 450``."""
    n = f"n = {drop.n:,}" if drop.n is not None and drop.note != NOTHING_REMOVED else ""
    return delta_text(drop), ", ".join(part for part in (delta_ends(drop), n) if part)


def judged(points: Sequence[TradeOffPoint]) -> str:
    """What points were evaluated by, in words: "accuracy", unless another metric was chosen."""
    name = points[0].accuracy.name if points else "accuracy"
    return "accuracy" if name in _FIRST_NAMES else name.replace("_", " ")


def number_interval(m: Measurement) -> str:
    """``0.1376 – 0.1677, n = 450`` in the measurement's own unit."""
    ends = "" if m.low is None or m.high is None else f"{number(m.low)} – {number(m.high)}, "
    return f"{ends}n = {m.n}"


def finding_line(finding: Finding) -> str:
    """``warn: what. evidence. action.``"""
    parts = [part.rstrip(".") for part in (finding.what, finding.evidence, finding.action) if part]
    return clean_terminal(f"{finding.level}: {'. '.join(parts)}.")


class Progress:
    """A line on standard error: redrawn in place on a terminal, at most once a second elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._live = sys.stderr.isatty()
        self._shown_at = time.monotonic() if not self._live else -math.inf
        self._drawn = False

    def show(self, text: str) -> None:
        """Say how far it is."""
        now = time.monotonic()
        if now - self._shown_at < (0.05 if self._live else 1.0):
            return
        self._shown_at = now
        text = _writable(f"{self._label}: {text}", sys.stderr)
        sys.stderr.write(f"\r\x1b[K{text}" if self._live else f"{text}\n")
        sys.stderr.flush()
        self._drawn = self._live

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
