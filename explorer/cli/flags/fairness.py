"""What a sweep owes a fair comparison: several seeds, controls, and a verdict with its interval."""

from __future__ import annotations

from explorer.cli.arguments import Parser, whole

CONTROL_SEEDS = 3


def add_fairness(parser: Parser) -> None:
    """The flags."""
    group = parser.add_argument_group("fair comparison")
    group.add_argument(
        "--controls", action="store_true", help="the same by chance and by magnitude too, with a verdict on each"
    )
    text = f"draw all that is random so often, from --seed on (default: once, the random control {CONTROL_SEEDS} times)"
    group.add_argument("--seeds", type=whole, metavar="N", help=text)
