"""What was measured, kept on disk over all runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypedDict, Unpack

from explorer.store.connection import Database, Row
from explorer.store.folder import data_folder
from explorer.store.records import PointRecord, ScanSummary, now, record_from
from explorer.types import Finding
from explorer.types.aliases import JsonDict, JsonObject

FILE = "runs.sqlite"
MOST_POINTS = 100_000
_LARGEST_ID = 2**63 - 1


class PointFilters(TypedDict, total=False):
    """What recorded points are looked up by; ``model`` and ``data`` are a digest or an address."""

    model_digest: str | None
    data_digest: str | None
    split: str | None
    model: str | None
    data: str | None
    kind: str | None
    plan_digest: str | None


class Store:
    """Measured points, finished cells of scans. For all threads of a process.

    ``folder`` is where it lies: given, else PRUNING_EXPLORER_DATA, else the user's data folder. The file is opened
    at the first use. Each call is kept whole or not at all, also when the process is killed. A call that cannot
    read or write raises ExplorerError; the next one tries again. A damaged file is set aside and a new one begun:
    ``findings`` says so.
    """

    def __init__(self, folder: Path | str | None = None) -> None:
        self._database = Database(data_folder(folder) / FILE)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What people should know about what was kept: damage, and rows that could not be read."""
        return self._database.findings

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._database.close()

    def record_point(self, record: PointRecord) -> int:
        """Record one measured point and give its id. The same measurement is kept once, as it was asked for last."""
        columns = {
            "identity": record.identity,
            "time": record.time,
            "kind": record.kind,
            "model_digest": record.model_digest,
            "model_address": _storable(record.model_address),
            "data_digest": record.data_digest,
            "data_address": _storable(record.data_address),
            "split": record.split,
            "plan_digest": record.point.plan_digest,
            "spec_digest": record.spec_digest,
            "record": _text(record.stored()),
        }
        names = ", ".join(columns)
        news = ", ".join(f"{name} = excluded.{name}" for name in columns)
        sql = f"INSERT INTO points ({names}) VALUES ({', '.join('?' * len(columns))}) "
        sql += f"ON CONFLICT (identity) DO UPDATE SET {news} RETURNING id"
        values = tuple(columns.values())
        return self._database.write(lambda connection: int(connection.execute(sql, values).fetchall()[0][0]))

    def points(self, *, limit: int = 1000, **filters: Unpack[PointFilters]) -> list[PointRecord]:
        """The kept points that all ``filters`` let through, newest first, at most ``limit``."""
        if unknown := filters.keys() - PointFilters.__annotations__.keys():  # a name becomes part of the query
            raise TypeError(f"points are not looked up by {', '.join(sorted(unknown))}")
        either = {"model": filters.pop("model", None), "data": filters.pop("data", None)}
        tests = [f"{name} = ?" for name, value in filters.items() if value is not None]
        values: list[Any] = [value for value in filters.values() if value is not None]
        for name, value in either.items():
            if value is not None:
                tests.append(f"({name}_digest = ? OR {name}_address = ?)")
                values += [_storable(value), _storable(value)]
        where = f"WHERE {' AND '.join(tests)}" if tests else ""
        sql = f"SELECT id, record FROM points {where} ORDER BY time DESC, id DESC LIMIT ?"
        rows = self._database.read(sql, [*values, max(0, min(int(limit), MOST_POINTS))])
        return self._readable("point", rows, _record)

    def point(self, point_id: int) -> PointRecord | None:
        """The kept point of that id, or None."""
        if not 0 < point_id <= _LARGEST_ID:
            return None
        rows = self._database.read("SELECT id, record FROM points WHERE id = ?", (point_id,))
        points = self._readable("point", rows, _record)
        return points[0] if points else None

    def record_scan(self, scan_key: str, about: JsonObject) -> None:
        """Record what the cells of a scan are of."""
        sql = "INSERT OR REPLACE INTO scans (scan_key, time, about) VALUES (?, ?, ?)"
        values = (scan_key, now(), _text(about))
        self._database.write(lambda connection: connection.execute(sql, values).close())

    def record_cell(self, scan_key: str, group: str, level: float, cell: JsonObject) -> None:
        """Record a finished cell of a scan; one of the same group and level is replaced."""
        sql = "INSERT OR REPLACE INTO cells (scan_key, group_name, level, time, cell) VALUES (?, ?, ?, ?, ?)"
        values = (scan_key, json.dumps(group), float(level), now(), _text(cell))
        self._database.write(lambda connection: connection.execute(sql, values).close())

    def cells(self, scan_key: str) -> dict[tuple[str, float], JsonDict]:
        """The finished cells of a scan by (group, level)."""
        rows = self._database.read("SELECT group_name, level, cell FROM cells WHERE scan_key = ?", (scan_key,))
        cells = self._readable("cell", rows, lambda row: ((str(json.loads(row[0])), float(row[1])), _object(row[2])))
        return dict(cells)

    def scans(self) -> list[ScanSummary]:
        """Every scan with cells, the latest first."""
        counted = "SELECT scan_key, count(*), count(DISTINCT group_name), min(time), max(time) AS last FROM cells"
        sql = f"SELECT c.*, coalesce(about, '{{}}') FROM ({counted} GROUP BY scan_key) c "
        sql += "LEFT JOIN scans USING (scan_key) ORDER BY last DESC, scan_key"
        rows = self._database.read(sql)
        return self._readable("scan", rows, _scan)

    def _readable(self, what: str, rows: Iterable[Row], make: Callable[[Row], Any]) -> list[Any]:
        """The rows as values; those that cannot be read are left out and told."""
        objects = []
        for row in rows:
            try:
                objects.append(make(row))
            except (ValueError, TypeError, KeyError, RecursionError):
                text = f"A kept {what} could not be read and is left out."
                self._database.tell(Finding("warn", text, f"It is {row[0]!r} in {self.path}."))
        return objects


def _record(row: Row) -> PointRecord:
    return record_from(_object(row[1]), int(row[0]))


def _scan(row: Row) -> ScanSummary:
    scan_key, n_cells, n_groups, first, last, about = row
    return ScanSummary(scan_key, n_cells, n_groups, first, last, _object(about))


def _object(text: Any) -> JsonDict:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("not an object")
    return content


def _text(value: JsonObject) -> str:
    return json.dumps(value, separators=(",", ":"))


def _storable(text: str) -> str:
    # The path of a file may hold bytes that are no text; SQLite takes none of those.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
