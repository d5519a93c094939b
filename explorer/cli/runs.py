"""``runs``: what was measured so far, and the request behind each number."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, whole
from explorer.cli.keeping import add_data_dir, tell
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from explorer.store.records import PointRecord

NAME = "runs"
HELP = "List what was measured so far, newest first; show ID gives the request behind one number."
_HEAD = ("id", "time (UTC)", "model", "data", "split", "what", "pruned", "ratio", "accuracy", "95 % interval", "by")


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("action", nargs="?", choices=("list", "show"), default="list", help="default: list")
    parser.add_argument("id", nargs="?", type=whole, metavar="ID", help="with show: the number of the run")
    parser.add_argument("--model", metavar="M", help="only this model: its address or its digest")
    parser.add_argument("--data", metavar="D", help="only on these data: their address or their digest")
    parser.add_argument("--split", choices=("tune", "test"), help="only on this split")
    parser.add_argument(
        "--kind", metavar="K", help="only what was asked for by: evaluate, sweep, drag, search, recover"
    )
    parser.add_argument("--limit", type=whole, default=50, metavar="N", help="at most so many (default: 50)")
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")


def run(args: Arguments) -> int:
    """List the kept points, or show the request of one."""
    from explorer.analysis.report import finite
    from explorer.store.database import Store

    if args.action == "list" and args.id is not None:
        raise ExplorerError("list takes no ID.", fix=f"Write runs show {args.id} for one run.")
    store = Store(args.data_dir)
    if args.action == "show":
        return _show(args, store.point(_id(args)))
    found = store.points(model=args.model, data=args.data, split=args.split, kind=args.kind, limit=args.limit)
    tell(store)
    if args.json:
        printing.say_json({"store": str(store.path), "points": [finite(record.to_json()) for record in found]})
    elif found:
        printing.say(*printing.table(_HEAD, [_cells(record) for record in found], left=0))
    else:
        asked = [value for value in (args.model, args.data, args.split, args.kind) if value]
        printing.say(f"Nothing is kept of {printing.plain(', '.join(asked))}." if asked else "Nothing is kept yet.")
    return 0


def _id(args: Arguments) -> int:
    if args.id is None:
        raise ExplorerError("show needs the ID of a run.", fix="The first column of runs has them.")
    return int(args.id)


def _show(args: Arguments, record: PointRecord | None) -> int:
    """The request as JSON, ready for --spec."""
    if record is None:
        raise ExplorerError(f"There is no run {args.id}.", fix="The first column of runs has the IDs.")
    if args.json:
        printing.say_json(record.spec)
    else:
        printing.say(json.dumps(record.spec, indent=2))
    return 0


def _cells(record: PointRecord) -> list[str]:
    share = printing.percent(record.accuracy.value)
    return [
        str(record.id),
        record.time[:19].replace("T", " "),
        record.model_address,
        record.data_address,
        record.split,
        record.label,
        printing.percent(record.sparsity),
        printing.times(record.compression_ratio),
        f"agreement {share}" if record.judged_by == "agreement" else share,
        printing.interval(record.accuracy),
        record.kind,
    ]
