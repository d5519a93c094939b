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
from explorer.store.folder import make_folder
from explorer.store.identity import SIDE_FILES, make_private, names_as_text, refuse_foreign
from explorer.store.lock import alone
from explorer.store.opening import as_one, check, connect, create, prepare
from explorer.store.read_only import Snapshot
from explorer.types import Finding

T = TypeVar("T")
Row = tuple[Any, ...]

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
        self._snapshot = Snapshot(path)

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a question; none, and no file made, where nothing was kept yet.

        A file in a folder that cannot be written is read as well.
        """
        try:
            if not self.path.exists():
                return []
        except OSError as error:
            raise cannot_read(self.path, error) from error
        if not self._may_be_written():
            return self._read_only(sql, values)
        return self._run(lambda connection: connection.execute(sql, values).fetchall())

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` as one transaction: all of it is kept, or nothing."""
        return self._run(lambda connection: as_one(connection, work))

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

    def _may_be_written(self) -> bool:
        return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)

    def _read_only(self, sql: str, values: Sequence[object]) -> list[Row]:
        with self._lock:
            try:
                with names_as_text():
                    return self._snapshot.connection().execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise _refusal(self.path, error) from error
            except OSError as error:
                raise cannot_read(self.path, error) from error

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                try:
                    with names_as_text():
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
        make_folder(self.path.parent)
        if self.path.exists():
            refuse_foreign(self.path)
            make_private(self.path)
        else:
            create(self.path)
        connection = connect(self.path)
        prepare(connection, self.path)
        self._connection, self._opened_as = connection, self._here()
        return connection

    def _here(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return (os.getpid(), status.st_dev, status.st_ino)

    def _set_aside(self, reason: str) -> None:
        with alone(self.path.with_suffix(".lock")):
            if _is_sound(self.path):
                return  # Another process was here first.
            stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
            aside = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
            os.replace(self.path, aside)
            for end in SIDE_FILES:
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


def _is_sound(path: Path) -> bool:
    try:
        with names_as_text():
            connection = connect(path)
            try:
                check(connection)
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


def cannot_read(path: Path, error: OSError) -> ExplorerError:
    """The refusal that goes with a file system error while reading."""
    why = f"{error.strerror or error}."
    return ExplorerError(f"{path} could not be read.", why=why, fix="Choose another folder with --data-dir.")


def _refusal(path: Path, error: sqlite3.Error) -> ExplorerError:
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError | sqlite3.IntegrityError):
        raise error  # A bug of ours stays a traceback.
    why, fix = _REASONS.get(_code(error), (f"{str(error).rstrip('.')}.", "Choose another folder with --data-dir."))
    return ExplorerError(f"{path} could not be used.", why=why, fix=fix)
