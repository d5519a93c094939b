"""Temporary files and folders: their names say which process made them, and those of dead processes are removed."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

_MARK = re.compile(r"[.-]([0-9a-f]{8})-(\d{1,10})[.-]")


def mark() -> str:
    """The part of a temporary name that says which process made it, on which machine."""
    return f"{_machine()}-{os.getpid()}"


def sweep(folder: Path | str, prefix: str = "", suffix: str = "") -> list[Path]:
    """Remove what dead processes of this machine and user left in ``folder``; returns what was removed.

    Only names with such beginning and end that carry a :func:`mark` are looked at. Where it is not certain that
    the process is dead (another machine or container, a number that is in use again), the thing stays.
    """
    if os.name == "nt":  # There is no way there to ask whether a process lives that cannot end it.
        return []
    swept: list[Path] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(suffix) and _is_left(entry):
                swept.append(Path(entry.path))
    return [path for path in swept if _remove(path)]


def _is_left(entry: os.DirEntry[str]) -> bool:
    marks = _MARK.findall(entry.name)
    if not marks or marks[-1][0] != _machine() or _lives(int(marks[-1][1])):
        return False
    with suppress(OSError):
        return entry.stat(follow_symlinks=False).st_uid == os.getuid()
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _remove(path: Path) -> bool:
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        return True
    return False


@cache
def _machine() -> str:
    # Containers that share a folder count their processes apart, also under one host name.
    processes = ""
    with suppress(OSError):
        processes = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{socket.gethostname()} {processes}".encode()).hexdigest()[:8]
