"""How much memory, time and disk reading one file may take."""

from __future__ import annotations

import sys

MAX_FILE_BYTES = 4 * 2**30
MAX_TENSOR_BYTES = 8 * 2**30
MAX_TENSORS = 200_000
START_SECONDS = 60.0
WORKING_BYTES = 768 * 2**20


def reading_seconds(n_bytes: int) -> float:
    """How long reading may take once the reader has started: 8 s, and more for large files."""
    return 8.0 + n_bytes / 50e6


def start_clock(n_bytes: int) -> None:
    """From now on the kernel ends this process when its time is up, whatever code is running.

    Windows has no such clock; there the parent's own is the only one.
    """
    if sys.platform == "win32":
        return
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, reading_seconds(n_bytes))


def restrict(expected: int) -> None:
    """Bind the memory and the disk space of this process to what ``expected`` bytes of tensors need."""
    if sys.platform == "win32":
        return
    import resource  # exists on POSIX only

    def lower(kind: int, limit: int) -> None:
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))

    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, expected + 64 * 2**20)
    if sys.platform == "linux":  # elsewhere the limit on address space is not kept
        lower(resource.RLIMIT_AS, _mapped_bytes() + WORKING_BYTES + 4 * expected)


def _mapped_bytes() -> int:
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
