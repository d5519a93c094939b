"""Whose database a file is: asked before anything is written to it, so that what is not ours stays as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.store.schema import APPLICATION_ID, VERSION

SIDE_FILES = ("-wal", "-shm")
_FIRST_TABLES = {"points", "cells"}


@contextmanager
def names_as_text() -> Iterator[None]:
    """DatabaseError where SQLite complains of a name in the schema that is no text: Python cannot decode it either."""
    try:
        yield
    except UnicodeDecodeError as error:
        damage = sqlite3.DatabaseError("a name in its schema is no text")
        damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damage from error


def refuse_foreign(path: Path) -> None:
    """ExplorerError for the database of another program, or of a newer explorer; nothing is made or changed.

    Damage is not looked for: a file that cannot be read as a database passes.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    # "Immutable": no lock is taken, no side file made. What only the log beside it holds is not seen here;
    # refuse_tables asks again once the file is open.
    with suppress(sqlite3.DatabaseError), names_as_text():
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            refuse_tables(connection, path)
        finally:
            connection.close()


def refuse_tables(connection: sqlite3.Connection, path: Path) -> None:
    """ExplorerError where an open database is not one of ours, or newer."""
    version, program = _number(connection, "user_version"), _number(connection, "application_id")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    ours = program == APPLICATION_ID or bool(_FIRST_TABLES & tables if version else not tables)
    if program not in (0, APPLICATION_ID) or not ours:
        why = "It is a database of something else."
        raise ExplorerError(f"{path} cannot be used.", why=why, fix="Move it away, or choose another --data-dir.")
    if version > VERSION:
        why = f"It was made by a newer version of the explorer (format {version}; this one reads {VERSION})."
        raise ExplorerError(f"{path} cannot be used.", why=why, fix="Update, or choose another --data-dir.")


def make_private(path: Path) -> None:
    """Take the permissions of a file and of those beside it from everybody but this user."""
    # SQLite gives its side files the permissions of the file.
    for place in (path, *(Path(f"{path}{end}") for end in SIDE_FILES)):
        with suppress(OSError):
            if place.stat().st_mode & 0o077:
                place.chmod(0o600)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
