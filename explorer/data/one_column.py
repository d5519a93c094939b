"""A column beside the samples, from a table in a file."""

from __future__ import annotations

import csv
from pathlib import Path

from explorer.errors import ExplorerError
from explorer.text.names import clean, listed

_BIGGEST = 200_000_000


def column_of(place: str) -> tuple[str, tuple[str, ...]]:
    """The name and the values of ``FILE:COLUMN``. Raises ExplorerError where there is no such file or column."""
    file, colon, name = place.rpartition(":")
    if not colon or not file or not name:
        raise ExplorerError(f"{clean(place)!r} names no column.", fix="Write --slices FILE.csv:COLUMN.")
    path = Path(file)
    try:
        if path.stat().st_size > _BIGGEST:
            raise ExplorerError(f"{clean(file)} is too large.", fix="Give a table with that column alone.")
        with path.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            if name not in (table.fieldnames or ()):
                fix = f"Its columns: {listed(list(table.fieldnames or ()), 20)}."
                raise ExplorerError(f"{clean(file)} has no column {clean(name)!r}.", fix=fix)
            return name, tuple(row[name] or "" for row in table)
    except (UnicodeDecodeError, csv.Error):
        raise ExplorerError(
            f"{clean(file)} is no table.", fix="Give a CSV file whose first row names columns."
        ) from None
    except OSError as error:
        raise ExplorerError(
            f"{clean(file)} could not be read.", why=f"{error.strerror}.", fix="Give another."
        ) from None
