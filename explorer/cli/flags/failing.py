"""The flag that turns findings into an exit status."""

from __future__ import annotations

from explorer.cli.arguments import Parser

LEVELS = ("fail", "warn")


def add_fail_on(parser: Parser) -> None:
    """Which findings end the command with exit status 1."""
    text = "exit status 1 where there are findings of this level (warn: of either); files are written all the same"
    parser.add_argument("--fail-on", choices=LEVELS, help=text)
