"""A database in a folder that cannot be written: SQLite opens no log there, so a copy in memory is asked."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.identity import refuse_tables
from explorer.store.opening import as_one, check, limit, migrate
from explorer.types.files import leftovers

# The places in a header that say whether a log belongs to the file, and what they hold where none does.
_LOG_MARKS, _NO_LOG = slice(18, 20), b"\x01\x01"
_TRIES = 20


class Snapshot:
    """The file as it is now, in memory and in this version's tables; read again where it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._as_of: tuple[object, ...] = ()
        self._connection: sqlite3.Connection | None = None

    def connection(self) -> sqlite3.Connection:
        """A connection to the copy. DatabaseError where the file is damaged, ExplorerError where it is not ours."""
        as_of = (os.getpid(), *_stamps(self._path))
        if self._connection is None or as_of != self._as_of:
            self._connection, self._as_of = self._read(), as_of
        return self._connection

    def _read(self) -> sqlite3.Connection:
        content = _content(self._path)
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            if content:
                header = bytearray(content)
                header[_LOG_MARKS] = _NO_LOG
                connection.deserialize(bytes(header))
            limit(connection)
            check(connection)
            refuse_tables(connection, self._path)
            as_one(connection, migrate)
        except BaseException:
            connection.close()
            raise
        return connection


def _log(path: Path) -> Path:
    return Path(f"{path}-wal")


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def _stamps(path: Path) -> tuple[int, ...]:
    return (*_stamp(path), *_stamp(_log(path)))


def _content(path: Path) -> bytes:
    """The bytes of the file, with those in its log, both of one moment."""
    for _ in range(_TRIES):
        before = _stamps(path)
        content = _copied(path)
        if content is not None and _stamps(path) == before:
            return content
    raise ExplorerError(
        f"{path} could not be read.", why="Another run writes to it all the time.", fix="Wait for that run to end."
    )


def _copied(path: Path) -> bytes | None:
    """What the file and its log hold; None where the log was merged into the file and deleted meanwhile."""
    if _stamp(_log(path))[1] == 0:
        return path.read_bytes()
    with tempfile.TemporaryDirectory(prefix=f"pruning-explorer-{leftovers.mark()}-") as folder:
        copy = Path(folder, path.name)
        shutil.copyfile(path, copy)
        try:
            shutil.copyfile(_log(path), _log(copy))
        except FileNotFoundError:
            return None
        connection = sqlite3.connect(copy)
        try:
            return connection.serialize()
        finally:
            connection.close()
