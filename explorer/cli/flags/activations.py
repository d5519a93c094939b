"""``activations``: skip small activations while the network runs, and see what that costs."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_model, whole
from explorer.cli.flags.request import add_request

NAME = "activations"
HELP = "What flows out of each layer: skip what is small and see what that costs, or count it (--distribution)."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    text = "shares of each layer's activations to skip, smallest first (default: 0,0.3,0.5,0.7,0.9)"
    parser.add_argument("--shares", default="0,0.3,0.5,0.7,0.9", metavar="S,S", help=text)
    group = parser.add_argument_group("what each layer gives, in the place of skipping")
    text = "count the activations of each layer: range, mean, share of zeros, silent channels; dense and as pruned"
    group.add_argument("--distribution", action="store_true", help=text)
    group.add_argument("--channels", metavar="LAYER", help="the same of each channel of one layer")
    group.add_argument("--samples", type=whole, default=256, metavar="N", help="the first N of fit (default: 256)")
    group.add_argument("--csv", metavar="FILE", help="write a row for each channel of every layer")
    add_request(parser)
    add_data(parser, samples=False)
    add_common(parser)
