"""One process at a time: a lock file, taken over when whoever made it was killed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write

_PATIENCE_S = 5.0
_STALE_S = 30.0


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock file; one left behind by a killed process is taken over after 30 s.

    Raises ExplorerError when another process holds it for longer than 5 s.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not _taken(lock):
        if time.monotonic() > deadline:
            why = "Another run holds it."
            raise ExplorerError(f"{lock} stays locked.", why=why, fix="Wait for that run to end, or delete the file.")
        time.sleep(0.02)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()


def _taken(lock: Path) -> bool:
    with suppress(OSError):
        if time.time() - lock.stat().st_mtime > _STALE_S:
            lock.unlink()
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    except OSError as error:
        raise cannot_write(lock, error) from error
    return True
