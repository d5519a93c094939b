"""``criteria``: one layer as two criteria see it, and how steady each of them is."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_model
from explorer.cli.flags.members import add_member
from explorer.cli.flags.request import add_granularity, criteria_in_words, share

NAME = "criteria"
HELP = "Compare how two criteria rank one layer: rank correlation, overlap, and where they disagree."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    group = parser.add_argument_group("what to compare")
    group.add_argument("--layer", metavar="LAYER", required=True, help="the layer, as inspect names it")
    text = f"the one. {criteria_in_words()}. 'taylor:?' tells the parameters of one (taylor:n_samples=512)"
    add_member(group, "--criterion", "criterion", text, metavar="C", required=True)
    text = "the other (default: lp_norm)"
    add_member(group, "--against", "criterion", text, metavar="C", default="lp_norm")
    add_granularity(group, default="weight")
    group.add_argument("--sparsity", type=share, default=0.5, metavar="S", help="share that goes (default: 0.5)")
    add_data(parser)
    add_common(parser)
