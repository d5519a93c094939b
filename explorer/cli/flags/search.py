"""``search``: the best plan under a budget, or the smallest within a drop."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_backend, add_common, add_data, add_metric, add_model, whole
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_criterion, add_granularity, add_limits, worse

NAME = "search"
HELP = "Find the smallest model within a drop of accuracy, or the most accurate one within a budget."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    group = parser.add_argument_group("what to seek")
    either = group.add_mutually_exclusive_group(required=True)
    text = "the smallest model that loses no more: 0.01 or 1%% is one point of accuracy; of --metric, in its own unit"
    either.add_argument("--max-drop", type=worse, metavar="S", help=text)
    text = "the most accurate model within it: params=0.2, macs=0.5, size=100kB, latency=0.7 (up to 1: share of dense)"
    either.add_argument("--budget", metavar="COST=X", help=text)
    text = "of --max-drop: what is to be small, params (default), macs, size"
    group.add_argument("--cost", choices=("params", "macs", "size"), help=text)
    group = parser.add_argument_group("how to seek")
    add_granularity(group)
    add_criterion(group)
    group.add_argument("--evaluations", type=whole, default=40, metavar="N", help="plans to measure (default: 40)")
    text = "how the scan measures, exact (default), verified or estimate; plans are always measured on every sample"
    group.add_argument("--mode", choices=("exact", "verified", "estimate"), default="exact", help=text)
    add_limits(group)
    parser.add_argument("-o", "--output", metavar="OUT.json", help="write the answer as a request for --spec")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    add_data(parser)
    add_metric(parser)
    add_backend(parser)
    add_keeping(parser)
    add_common(parser)
