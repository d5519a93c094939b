"""One SQLite file that several threads and processes write to; damaged, it is set aside and begun anew."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from explorer.errors import ExplorerError
from explorer.store.atomic import cannot_write
from explorer.store.lock import alone
from explorer.store.schema import STEPS, VERSION
from explorer.types import Finding

T = TypeVar("T")
Row = tuple[Any, ...]

_PATIENCE_S = 15.0
_LONGEST_VALUE = 64 * 1024 * 1024
_LONGEST_SQL = 20_000
_SIDE_FILES = ("-wal", "-shm")
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_REASONS = {
    sqlite3.SQLITE_FULL: ("The disk is full.", "Make room, or choose another folder with --data-dir."),
    sqlite3.SQLITE_IOERR: ("The disk did not do what was asked.", "See whether it is full or failing."),
    sqlite3.SQLITE_READONLY: ("Writing there is not permitted.", "Choose another folder with --data-dir."),
    sqlite3.SQLITE_PERM: ("Writing there is not permitted.", "Choose another folder with --data-dir."),
    sqlite3.SQLITE_CANTOPEN: ("It cannot be opened.", "Choose another folder with --data-dir."),
    sqlite3.SQLITE_BUSY: ("Another run holds it.", "Wait for that run to end."),
    sqlite3.SQLITE_LOCKED: ("Another run holds it.", "Wait for that run to end."),
    sqlite3.SQLITE_TOOBIG: ("The record is too large.", "Keep less in one record."),
}


class Database:
    """The file and this process's one connection to it, opened at the first use.

    ``findings`` tells what happened to it: a damaged file that was set aside, rows that cannot be read.
    Every failure of the disk comes out as an ExplorerError, and the next call tries again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.findings: tuple[Finding, ...] = ()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._opened_as: tuple[int, int, int] | None = None

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a question; none, and no file made, where nothing was kept yet."""
        if not self.path.exists():
            return []
        return self._run(lambda connection: connection.execute(sql, values).fetchall())

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` as one transaction: all of it is kept, or nothing."""
        return self._run(lambda connection: _as_one(connection, work))

    def tell(self, finding: Finding) -> None:
        """Add a finding, once."""
        with self._lock:
            self.findings = tuple(dict.fromkeys([*self.findings, finding]))

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = self._opened_as = None

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                try:
                    return work(self._opened())
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                    self.close()
                    self._set_aside(str(error))
                    return work(self._opened())
            except sqlite3.Error as error:
                raise _refusal(self.path, error) from error
            except OSError as error:
                raise cannot_write(self.path, error) from error

    def _opened(self) -> sqlite3.Connection:
        """The connection; a new one after a fork, or where the file was moved away or deleted."""
        if self._connection is not None and self._opened_as == self._here():
            return self._connection
        if self._opened_as is not None and self._opened_as[0] != os.getpid():
            # The parent's connection: closing it here would take the parent's locks away.
            _LEFT_TO_THE_PARENT.append(self._connection)
            self._connection = None
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(self.path)
        _prepare(connection, self.path)
        self._connection, self._opened_as = connection, self._here()
        return connection

    def _here(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (os.getpid(), found.st_dev, found.st_ino)

    def _set_aside(self, reason: str) -> None:
        with alone(self.path.with_suffix(".lock")):
            if _is_sound(self.path):
                return  # Another process was here first.
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
            aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
            os.replace(self.path, aside)
            for end in _SIDE_FILES:
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{end}", f"{aside}{end}")
        self.tell(
            Finding(
                "warn",
                f"The store of earlier measurements was damaged and a new one was begun ({reason}).",
                f"The damaged file is kept as {aside}.",
                "Measure again what is missing, or put a copy of the file back.",
            )
        )


# Never closed and never collected while the process lives.
_LEFT_TO_THE_PARENT: list[sqlite3.Connection | None] = []


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST_SQL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    # A file that somebody else made may hold triggers and views: they get no say.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    # Neither a killed process nor a power cut loses what was kept; it costs less than a millisecond.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file, and bring it to this version. One process at a time may change it."""
    try:
        _check(connection)
        if _version(connection) != VERSION or _journal(connection) != "wal":
            with alone(path.with_suffix(".lock")):
                connection.execute("PRAGMA journal_mode = WAL")
                _as_one(connection, lambda c: _migrate(c, path))
    except BaseException:
        connection.close()
        raise


def _check(connection: sqlite3.Connection) -> None:
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        error = sqlite3.DatabaseError(found.splitlines()[-1])
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > VERSION:
        why = f"It was made by a newer version of the explorer (format {version}; this one knows {VERSION})."
        raise ExplorerError(f"{path} cannot be used.", why=why, fix="Update, or choose another --data-dir.")
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        why = "It is a database of something else."
        raise ExplorerError(f"{path} cannot be used.", why=why, fix="Move it away, or choose another --data-dir.")
    for step in STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION:d}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _journal(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def _as_one(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _is_sound(path: Path) -> bool:
    try:
        connection = _connect(path)
        try:
            _check(connection)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return not _is_damage(error)
    return True


def _is_damage(error: sqlite3.Error) -> bool:
    return _code(error) in _DAMAGE


def _code(error: sqlite3.Error) -> int:
    # The lower byte is the kind of failure; the rest says which variety.
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _refusal(path: Path, error: sqlite3.Error) -> ExplorerError:
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.IntegrityError):
        raise error  # A bug of ours stays a traceback.
    why, fix = _REASONS.get(_code(error), (f"{str(error).rstrip('.')}.", "Choose another folder with --data-dir."))
    return ExplorerError(f"{path} could not be used.", why=why, fix=fix)
