"""``compare``: several models on the same samples, side by side."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_metric, add_reading, whole
from explorer.cli.flags.members import forms
from explorer.cli.flags.recording import add_data_dir
from explorer.cli.flags.request import add_request

NAME = "compare"
HELP = "Compare two to eight models on the same samples: scores, paired differences, changed answers, where they part."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    text = f"{forms('model source')}; run:ID of a recorded run; or a PruneSpec as JSON, for what it leaves of the first"
    parser.add_argument("models", metavar="MODEL", nargs="+", help=text)
    add_reading(parser)
    levels = parser.add_argument_group("what requests leave of the first model")
    text = "shares of its weights, e.g. 0.5,0.8: what is left at each is compared, too"
    levels.add_argument("--sparsities", metavar="S,S", help=text)
    add_request(parser, one_level=False)
    add_data(parser)
    group = parser.add_argument_group("what is measured")
    group.add_argument("--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted")
    group.add_argument("--latency", action="store_true", help="time each in turns with the first")
    group.add_argument(
        "--pairs", type=whole, default=None, metavar="N", help="of --latency: pairs of passes (default: 30)"
    )
    add_metric(parser)
    group = parser.add_argument_group("what is shown")
    text = "how many changed samples of each model are listed (default: 5); with --json all of them are there"
    group.add_argument("--changed", type=whole, default=5, metavar="N", help=text)
    group.add_argument("--html", metavar="FILE", help="write one self-contained page")
    add_data_dir(parser)
    add_common(parser)
