"""How a database is opened: with limits, checked, and brought to this version."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from explorer.store.atomic import replacing
from explorer.store.identity import refuse_tables
from explorer.store.lock import alone
from explorer.store.schema import APPLICATION_ID, STEPS, VERSION

T = TypeVar("T")

_PATIENCE_S = 15.0
_LONGEST_VALUE = 64 * 1024 * 1024
_LONGEST_SQL = 20_000


def connect(path: Path) -> sqlite3.Connection:
    """A connection under limits; the file is made where it is missing."""
    connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
    limit(connection)
    # Neither a killed process nor a power cut loses what was kept; it costs less than a millisecond.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def limit(connection: sqlite3.Connection) -> None:
    """Bound what a file that somebody else made can do and take."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, _LONGEST_SQL)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    # Its triggers and views get no say.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file, and bring it to this version. One process at a time may change it."""
    try:
        check(connection)
        refuse_tables(connection, path)
        if _version(connection) != VERSION or _journal(connection) != "wal":
            with alone(path.with_suffix(".lock")):
                connection.execute("PRAGMA journal_mode = WAL")
                as_one(connection, migrate)
    except BaseException:
        connection.close()
        raise


def create(path: Path) -> None:
    """Put an empty database of this version where none is, whole and for this user alone."""
    with alone(path.with_suffix(".lock")):
        if path.exists():
            return
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            as_one(connection, migrate)
            content = connection.serialize()
        finally:
            connection.close()
        with replacing(path, private=True) as new:
            new.write_bytes(content)


def check(connection: sqlite3.Connection) -> None:
    """DatabaseError where the file is damaged."""
    report = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if report != "ok":
        error = sqlite3.DatabaseError(report.splitlines()[-1])
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that lead to this version."""
    for step in STEPS[_version(connection) :]:
        for statement in step:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
    connection.execute(f"PRAGMA user_version = {VERSION:d}")


def as_one(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do ``work`` as one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _journal(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
