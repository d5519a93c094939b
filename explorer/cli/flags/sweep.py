"""``sweep``: accuracy at rising compression, one line a point."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_backend, add_common, add_data, add_metric, add_model
from explorer.cli.flags.fairness import add_fairness
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_request

NAME = "sweep"
HELP = "Measure a model at rising compression: its size against its accuracy."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    levels = parser.add_mutually_exclusive_group()
    levels.add_argument(
        "--ratios", default="1,2,4,8,16,32", metavar="R,R", help="compression ratios of the whole model"
    )
    levels.add_argument("--sparsities", metavar="S,S", help="shares of the prunable weights instead, e.g. 0.5,0.9")
    add_request(parser, one_level=False)
    add_fairness(parser)
    add_data(parser)
    add_metric(parser)
    add_backend(parser)
    add_keeping(parser)
    add_common(parser)
