"""``worker``: take pieces of work from a shared folder."""

from __future__ import annotations

import argparse

from explorer.cli.arguments import Parser, seconds
from explorer.cli.flags.app import at_least_one

NAME = "worker"
HELP = "Measure pieces of work from a folder that machines share; run it on each of them."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    parser.add_argument(
        "folder", metavar="FOLDER", help="the folder of --backend folder:FOLDER, as this machine sees it"
    )
    parser.add_argument(
        "--threads", type=at_least_one, metavar="N", help="threads to compute with (default: all cores)"
    )
    text = "go after so long without work (default: stay)"
    parser.add_argument("--idle", type=seconds, metavar="SECONDS", help=text)
    text = "give up another worker that was not heard of for so long (default: 60)"
    parser.add_argument("--lease", type=seconds, default=60.0, metavar="SECONDS", help=text)
    text = "look for work so often (default: 0.5)"
    parser.add_argument("--poll", type=seconds, default=0.5, metavar="SECONDS", help=text)
    parser.add_argument("--trust-code", action="store_true", help="let package.module:factory run your own code")
    text = "let a model that is named by its id (hf:org/name) be downloaded where it is not on this machine"
    parser.add_argument("--allow-download", action="store_true", help=text)
    # For processes that were begun by another one, and end with it.
    parser.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
