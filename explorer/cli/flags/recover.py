"""``recover``: prune and recover by a recipe, and measure what came of it."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_against, add_common, add_data, add_metric, add_model
from explorer.cli.flags.failing import add_fail_on
from explorer.cli.flags.recipe import add_recipe
from explorer.cli.flags.recording import add_keeping
from explorer.cli.flags.request import add_request

NAME = "recover"
HELP = "Prune a model, recover it by a recipe (refresh, fine-tuning, rewinding, ...) and measure it."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT.safetensors", help="write the recovered network")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    add_fail_on(parser)
    group = add_recipe(parser)
    group.add_argument("--checkpoints", metavar="DIR", help="keep each epoch there; a killed run goes on from it")
    group.add_argument(
        "--split", choices=("tune", "test"), default="tune", help="for the verdict; each look at test is counted"
    )
    add_against(parser)
    add_request(parser)
    add_data(parser)
    add_metric(parser)
    add_keeping(parser)
    add_common(parser)
