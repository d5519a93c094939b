"""``scan``: what each layer costs when it alone is pruned."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_backend, add_common, add_data, add_metric, add_model, whole
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_criterion, add_granularity, share, worse

NAME = "scan"
HELP = "Prune each layer alone, level by level, and measure what it costs."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    group = parser.add_argument_group("what to scan")
    add_granularity(group)
    add_criterion(group)
    group.add_argument("--levels", metavar="S,S", help="shares to prune (default: 0.1,0.2,...,0.9,0.95)")
    group.add_argument("--layers", metavar="L,L", help="only these layers")
    group.add_argument(
        "--max-drop", type=worse, metavar="S", help="stop a layer early at a drop of more, e.g. 0.05 or 5%%"
    )
    group.add_argument(
        "--by-block", type=share, metavar="S", help="show one of the levels by kind of layer and by block"
    )
    group = parser.add_argument_group("how to measure")
    group.add_argument("--mode", choices=("exact", "verified", "estimate"), default="exact", help="default: exact")
    group.add_argument("--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted")
    group.add_argument("--samples", type=whole, metavar="N", help="only the first N samples of the split")
    group.add_argument("--quick", action="store_true", help="no run at all: the weight energy that each level removes")
    add_data(parser, samples=False)
    add_metric(parser)
    parser.add_argument("--csv", metavar="FILE", help="write the cells as a table")
    add_backend(parser)
    add_keeping(parser)
    add_common(parser)
