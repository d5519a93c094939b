"""Count the weights of a model: a command as somebody adds one."""

from __future__ import annotations

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_model, load_model

NAME = "weigh"
HELP = "Say how many weights a model has."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Print the number."""
    printing.say_json({"weights": load_model(args).n_parameters})
    return 0
