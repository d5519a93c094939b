"""How often the locked test split was looked at, for each model and data set, over all runs on this machine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_data_dir

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write, write_text

_PATIENCE_S = 5.0
_STALE_S = 30.0


def looks_file(folder: Path | str | None = None) -> Path:
    """Where the count is kept: in ``folder``, else in the user's own data folder."""
    return Path(folder or user_data_dir("pruning-explorer", appauthor=False)) / "looks.json"


def looks(model_digest: str, data_digest: str, folder: Path | str | None = None) -> int:
    """How often this model was measured on the test split of this data so far."""
    return _read(looks_file(folder)).get(f"{model_digest}/{data_digest}", 0)


def count_look(model_digest: str, data_digest: str, folder: Path | str | None = None) -> int:
    """Count one more look and give the new count. Two processes at once count two."""
    file = looks_file(folder)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(file, error) from error
    with _alone(file.with_suffix(".lock")):
        counts = _read(file)
        key = f"{model_digest}/{data_digest}"
        counts[key] = counts.get(key, 0) + 1
        write_text(file, json.dumps(counts, indent=1, sort_keys=True))
    return counts[key]


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = "The record of looks at the test split is not readable."
        raise ExplorerError(f"{file} is damaged.", why=why, fix="Move it away; counting then starts anew.") from error
    sound = isinstance(found, dict) and all(isinstance(n, int) for n in found.values())
    if not sound:
        why = "It does not hold a count for each model and data set."
        raise ExplorerError(f"{file} is damaged.", why=why, fix="Move it away; counting then starts anew.")
    return dict(found)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock file; one left behind by a killed process is taken over."""
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
