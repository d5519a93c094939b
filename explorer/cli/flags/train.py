"""``train``: a full network from random weights, where a lineage begins."""

from __future__ import annotations

from explorer.cli.arguments import Parser, add_common, add_data, add_metric
from explorer.cli.flags.members import keys
from explorer.cli.flags.recipe import TRAINING, add_setting
from explorer.params import params_of
from explorer.recovery.settings import TrainingSettings

NAME = "train"
HELP = "Train a full network from random weights: what pruning begins with."
_OF_TEACHERS = ("distil_weight", "temperature")
SETTINGS = {name: flag for name, flag in TRAINING.items() if name not in _OF_TEACHERS}


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    names = ", ".join(keys("architecture"))
    parser.add_argument(
        "arch", metavar="ARCH", help=f"an architecture, or one with arguments (digits-mlp:hidden1=64): {names}"
    )
    parser.add_argument("-o", "--output", metavar="OUT.safetensors", help="write the trained network")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    parser.add_argument("--checkpoints", metavar="DIR", help="keep each epoch there; a killed run goes on from it")
    group = parser.add_argument_group(
        "how to train", "What is not given is as the bundled network of this name was trained."
    )
    for p in params_of(TrainingSettings):
        if p.name in SETTINGS:
            add_setting(group, f"--{SETTINGS[p.name].replace('_', '-')}", p, has_default=False)
    add_data(parser)
    add_metric(parser)
    add_common(parser)
