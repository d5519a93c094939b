"""``inspect``: what is in a model, layer by layer, before anything is pruned."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_model, add_stream

NAME = "inspect"
HELP = "Show every layer: shape, weights, how large they are, and why some cannot be pruned."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_stream(parser)
    add_common(parser)
