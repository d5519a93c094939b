"""How much memory, time and disk reading one file may take."""

from __future__ import annotations

import math
import sys

from explorer.types.files.reading.confined import confine

MAX_FILE_BYTES = 4 * 2**30
MAX_TENSOR_BYTES = 8 * 2**30
MAX_TENSORS = 200_000
START_SECONDS = 180.0
WORKING_BYTES = 768 * 2**20
# Compressed, packed and sparse files grow when they are opened, and the process that asked has to hold what comes out.
MAX_RATIO = 20
SMALL_BYTES = 64 * 2**20
MAX_GROWTH = 8
MODEST_BYTES = 512 * 2**20
MANY_TENSORS_BYTES = 20e6  # with MAX_TENSORS of them, a file of small tensors is no larger


def unpacked_bytes(n_bytes: int) -> int:
    """How much the records of a compressed file of ``n_bytes`` may take."""
    return max(SMALL_BYTES, MAX_RATIO * n_bytes)


def opened_bytes(n_bytes: int) -> int:
    """How much the tensors in a file of ``n_bytes`` may take: 512 MiB, or 8 times the file."""
    return min(MAX_TENSOR_BYTES, max(MODEST_BYTES, MAX_GROWTH * n_bytes))


def computing_seconds(n_bytes: int) -> float:
    """How much processor time reading may take once the reader has started: 8 s, and more for large files.

    Small tensors are what takes long: 100,000 of them in 10 MB about 3 s, more than twice as much on a busy machine.
    """
    return 8.0 + min(n_bytes, MANY_TENSORS_BYTES) / 2e6 + n_bytes / 50e6


def waiting_seconds(n_bytes: int) -> float:
    """How long reading may take by the clock: on a busy machine, or from a slow disk, much longer than it computes."""
    return 60.0 + 10 * computing_seconds(n_bytes)


def start_clocks(computing: float, waiting: float) -> None:
    """From now on the kernel ends this process when either time is up, whatever code is running.

    Nor does it let it start programs or connect to anybody, where it can (see :func:`confine`). Processor time is what
    a file can burn; a busy machine does not shorten it. Windows has neither clock; there the parent's own is the only
    one.
    """
    if sys.platform == "win32":
        return
    import resource  # exists on POSIX only
    import signal
    import time

    for kind in (signal.SIGXCPU, signal.SIGALRM):
        signal.signal(kind, signal.SIG_DFL)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, math.ceil(time.process_time() + computing))
    signal.setitimer(signal.ITIMER_REAL, waiting)
    confine()


def restrict(expected: int) -> None:
    """Bind the memory and the disk space of this process to what ``expected`` bytes of tensors need."""
    if sys.platform == "win32":
        return
    import resource  # exists on POSIX only

    _lower(resource.RLIMIT_FSIZE, expected + 64 * 2**20)
    if sys.platform == "linux":  # elsewhere the limit on address space is not kept
        _lower(resource.RLIMIT_AS, _mapped_bytes() + WORKING_BYTES + 4 * expected)


def _lower(kind: int, limit: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    # At the soft limit of processor time comes a signal that says so, a second later the hard one's SIGKILL.
    above = limit + (kind == resource.RLIMIT_CPU)
    resource.setrlimit(kind, (limit, above if hard == resource.RLIM_INFINITY else min(above, hard)))


def _mapped_bytes() -> int:
    import resource

    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
