"""Small JSON files on a shared directory: complete or absent, claimed by one alone, read with distrust."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from explorer.store.atomic import cannot_write
from explorer.types.aliases import JsonObject

_MOST_BYTES = 64 << 20


def read_json(path: Path) -> JsonObject | None:
    """The object that a file holds; None where there is no such file, or anything else in it."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        data = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, Mapping) else None


def write_json(path: Path, data: JsonObject) -> None:
    """Put a file in its place, whole: written under another name, flushed, renamed. The last one to write wins.

    Others may read on other machines at any moment; nobody sees a part.
    """
    temporary = path.parent / f".{path.name[:40]}.{uuid.uuid4().hex}"
    try:
        with temporary.open("x", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def create_json(path: Path, data: JsonObject) -> bool:
    """Make a file that is not there yet; False where another one was first."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(data, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise cannot_write(path, error) from error
    return True


def names_in(folder: Path) -> list[str]:
    """The names of the complete files of a folder, in order."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []


def last_touched(path: Path) -> int | None:
    """When a file was touched last, as its server counts; None where it is not there."""
    try:
        with path.open("rb") as file:  # opening it asks the server of a network file system anew
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
