"""``activations``: skip small activations while the network runs, and see what that costs."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_model
from explorer.cli.flags.request import add_request

NAME = "activations"
HELP = "Skip small activations at inference: the share that is skipped against accuracy."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    text = "shares of each layer's activations to skip, smallest first (default: 0,0.3,0.5,0.7,0.9)"
    parser.add_argument("--shares", default="0,0.3,0.5,0.7,0.9", metavar="S,S", help=text)
    add_request(parser)
    add_data(parser)
    add_common(parser)
