"""``runs``: what was measured so far, and the request behind each number."""

from __future__ import annotations

from explorer.cli.arguments import Parser, whole
from explorer.cli.flags.recording import add_data_dir

NAME = "runs"
HELP = "List what was measured so far, newest first; show ID gives the request behind one number."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("action", nargs="?", choices=("list", "show"), default="list", help="default: list")
    parser.add_argument("id", nargs="?", type=whole, metavar="ID", help="with show: the number of the run")
    parser.add_argument("--model", metavar="M", help="only this model: its address or its digest")
    parser.add_argument("--data", metavar="D", help="only on these data: their address or their digest")
    parser.add_argument("--split", choices=("tune", "test"), help="only on this split")
    parser.add_argument(
        "--kind", metavar="K", help="only what was asked for by: evaluate, sweep, drag, search, recover, scan"
    )
    parser.add_argument("--limit", type=whole, default=50, metavar="N", help="at most so many (default: 50)")
    add_data_dir(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
