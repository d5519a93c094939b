"""One process at a time: a lock on a file, which the system takes back from a process that dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write

_PATIENCE_S = 5.0


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock on ``lock``, which is made where it is missing and stays; a killed holder holds it no longer.

    Raises ExplorerError when another process holds it for longer than 5 s.
    """
    try:
        # Deleting it afterwards would let two in: one with the old file, one with a new one of the same name.
        handle = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise cannot_write(lock, error) from error
    try:
        _wait(lock, handle)
        yield
    finally:
        os.close(handle)


def _wait(lock: Path, handle: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            _take(handle)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > deadline:
                why = "Another run holds it."
                raise ExplorerError(f"{lock} stays locked.", why=why, fix="Wait for that run to end.") from None
            time.sleep(0.02)
        except OSError as error:
            raise cannot_write(lock, error) from error
        else:
            return


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
