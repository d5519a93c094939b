"""``advise``: does pruning pay for this network?"""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_metric, add_model
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import worse

NAME = "advise"
HELP = "Say before pruning whether it pays: where the cost is, what could go, and first steps, measured."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    text = "the loss that is allowed, e.g. 0.02 or 2%% (default: 1%%)"
    parser.add_argument("--max-drop", type=worse, default=0.01, metavar="S", help=text)
    add_data(parser)
    add_metric(parser)
    add_keeping(parser)
    add_common(parser)
