"""What a sweep owes a fair comparison: several seeds, controls, and a verdict with its interval."""

from __future__ import annotations

from explorer.cli.arguments import Parser, whole


def add_fairness(parser: Parser) -> None:
    """The flags."""
    group = parser.add_argument_group("fair comparison")
    group.add_argument(
        "--controls", action="store_true", help="the same by chance and by magnitude too, with a verdict on each"
    )
    often = "once; with --controls 3 times where the model runs quickly"
    text = f"draw all that is random so often, from --seed on (default: {often})"
    group.add_argument("--seeds", type=whole, metavar="N", help=text)
    text = "with --controls: let the last layer be pruned too (default: it is locked in all that is compared)"
    group.add_argument("--free-classifier", action="store_true", help=text)
