"""``runs``: what was measured so far, and the request behind each number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.tasks import tell
from explorer.errors import ExplorerError
from explorer.store.database import Store
from explorer.store.records import PointRecord, ScanSummary
from explorer.text.numbers import level

_SCAN_HEAD = ("last cell (UTC)", "scan of", "data", "split", "n", "units", "criterion", "mode", "cells", "layers")
_HEAD = ("id", "time (UTC)", "model", "data", "split", "what", "pruned", "ratio", "accuracy", "95 % interval", "by")


def run(args: Arguments) -> int:
    """List the kept points and scans, or show the request of one point."""
    if args.action == "list" and args.id is not None:
        raise ExplorerError("list takes no ID.", fix=f"Write runs show {args.id} for one run.")
    store = Store(args.data_dir)
    if args.action == "show":
        return _show(args, store.point(_id(args)))
    records = store.points(model=args.model, data=args.data, split=args.split, kind=args.kind, limit=args.limit)
    scans = _scans(args, store)
    tell(store)
    if args.json:
        _say_json(store, records, scans)
    else:
        printing.say(*_lines(args, records, scans))
    return 0


def _say_json(store: Store, records: Sequence[PointRecord], scans: Sequence[ScanSummary]) -> None:
    points, all_scans = [finite(record.to_json()) for record in records], [finite(asdict(scan)) for scan in scans]
    printing.say_json({"store": str(store.path), "points": points, "scans": all_scans})


def _lines(args: Arguments, records: Sequence[PointRecord], scans: Sequence[ScanSummary]) -> list[str]:
    lines = printing.table(_HEAD, map(_cells, records), left=0) if records else []
    if scans:
        lines += [*[""] * bool(lines), *printing.table(_SCAN_HEAD, map(_scan_cells, scans), left=0)]
    asked = ", ".join(value for value in (args.model, args.data, args.split, args.kind) if value)
    return lines or [f"Nothing is kept of {printing.clean_terminal(asked)}." if asked else "Nothing is kept yet."]


def _id(args: Arguments) -> int:
    if args.id is None:
        raise ExplorerError("show needs the ID of a run.", fix="The first column of runs has them.")
    return int(args.id)


def _show(args: Arguments, record: PointRecord | None) -> int:
    """The request as JSON, ready for --spec."""
    if record is None:
        raise ExplorerError(f"There is no run {args.id}.", fix="The first column of runs has the IDs.")
    if args.json:
        printing.say_json(record.point.spec)
    else:
        printing.say(json.dumps(record.point.spec, indent=2))
    return 0


def _scans(args: Arguments, store: Store) -> list[ScanSummary]:
    """The kept scans that are asked for, the latest first."""
    filters = (("model", args.model), ("data", args.data))
    return [
        scan
        for scan in store.scans()
        if args.kind in (None, "scan")
        and args.split in (None, scan.about.get("split"))
        and all(v is None or v in (scan.about.get(f"{n}_address"), scan.about.get(f"{n}_digest")) for n, v in filters)
    ][: args.limit]


def _member(member: object) -> str:
    """``{"key": "lp_norm", "p": 2.0}`` as it is written for a flag: lp_norm:p=2.0."""
    values = dict(member) if isinstance(member, dict) else {}
    key = str(values.pop("key", "unknown"))
    return f"{key}:{','.join(f'{name}={value}' for name, value in values.items())}" if values else key


def _scan_cells(scan: ScanSummary) -> list[str]:
    about = scan.about
    return [
        scan.last[:19].replace("T", " "),
        *(str(about.get(name, "unknown")) for name in ("model_address", "data_address", "split", "n")),
        *(_member(about.get(name)) for name in ("granularity", "criterion")),
        str(about.get("mode", "")),
        str(scan.n_cells),
        str(scan.n_groups),
    ]


def _cells(record: PointRecord) -> list[str]:
    value, name = level(record.point.accuracy), record.point.accuracy.name
    return [
        str(record.id),
        record.time[:19].replace("T", " "),
        record.model_address,
        record.data_address,
        record.split,
        record.point.label,
        printing.percent(record.point.sparsity),
        printing.times(record.point.compression_ratio),
        value if record.judged_by == "labels" else f"{name.replace('_', ' ')} {value}",
        printing.interval(record.point.accuracy),
        record.kind,
    ]
