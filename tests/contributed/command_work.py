"""Count the weights of a model: the work of a command as somebody adds one."""

from __future__ import annotations

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_model


def run(args: Arguments) -> int:
    """Print the number."""
    printing.say_json({"weights": load_model(args).n_parameters})
    return 0
