"""Starts a reading process and waits for its end. At most two of them run at once; the others wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.types.files.paths import ROOT_VARIABLE
from explorer.types.files.reading.limits import START_SECONDS, computing_seconds, waiting_seconds

MAX_AT_ONCE = 2

_ROOT = Path(__file__).resolve().parents[4]
# All that a Python with torch needs; keys and tokens of the user stay out of the reader.
_PASSED_ON = (
    "PATH",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "LANG",
    "VIRTUAL_ENV",
    "PYTHONHOME",
    ROOT_VARIABLE,
)
_TURNS = threading.BoundedSemaphore(MAX_AT_ONCE)


@dataclass(frozen=True)
class Clocks:
    """How long reading may compute, and how long it may take by the clock."""

    computing: float
    waiting: float

    @classmethod
    def of(cls, n_bytes: int) -> Clocks:
        """What a file of this many bytes may take."""
        return cls(computing_seconds(n_bytes), waiting_seconds(n_bytes))


def run(module: str, arguments: Sequence[str], folder: Path, clocks: Clocks) -> str | None:
    """Run a module's ``main`` in a process of its own that writes into ``folder``; why it broke, or None."""
    command = [sys.executable, "-P", "-m", "explorer.types.files.reading", str(os.getpid()), module, *arguments]
    with _TURNS:
        try:
            ended = subprocess.run(
                command,
                cwd=folder,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=START_SECONDS + clocks.waiting,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"Reading it took longer than {clocks.waiting:.0f} s."
    return _why(ended.returncode, clocks)


def _environment(folder: Path) -> dict[str, str]:
    places = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
        "PYTHONPATH": os.pathsep.join(places),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TMPDIR": str(folder),
        "TEMP": str(folder),
    }


def _why(status: int, clocks: Clocks) -> str | None:
    if status == -getattr(signal, "SIGXCPU", 0) != 0:
        return f"Reading it took more than {clocks.computing:.0f} s of computing."
    if status == -getattr(signal, "SIGALRM", 0) != 0:
        return f"Reading it took longer than {clocks.waiting:.0f} s."
    if status == -getattr(signal, "SIGKILL", 0) != 0:
        return "The process that read it was ended from outside: by hand, or by a system that ran out of memory."
    if status != 0:
        return "Reading it broke the reader: it is damaged, or needs more memory than a file of its size may take."
    return None
