"""``jobs``: what a shared folder holds."""

from __future__ import annotations

from explorer.cli.arguments import Parser

NAME = "jobs"
HELP = "List, watch, cancel or remove the jobs of a folder that machines share."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument("folder", metavar="FOLDER", help="the folder of --backend folder:FOLDER")
    actions = ("list", "watch", "cancel", "remove")
    parser.add_argument("action", nargs="?", choices=actions, default="list", help="default: list")
    text = "with cancel or remove: the job, or how its name begins"
    parser.add_argument("job", nargs="?", metavar="JOB", help=text)
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, nothing else")
