"""Count the weights of a model: the flags of a command as somebody adds one."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_model

NAME = "weigh"
HELP = "Say how many weights a model has."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_common(parser)
