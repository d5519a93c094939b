"""The flags that say how to recover, and the Recipe they become."""

from __future__ import annotations

import argparse

from explorer.cli.arguments import Parser, real, whole
from explorer.cli.flags.members import add_member, keys
from explorer.cli.flags.request import share
from explorer.recovery.schedules import SPARSITY_SCHEDULES

SCHEDULES = ("one_shot", "iterative", "gradual", "rigl", "lottery")
OF_TICKETS = ("reinit", "shuffle_mask")


def add_recipe(parser: Parser) -> argparse._ArgumentGroup:
    """How to recover."""
    group = parser.add_argument_group("how to recover")
    steps = ", ".join(keys("recovery step"))
    text = f"a recipe as JSON instead of these flags. Its steps: {steps}. 'finetune:?' tells the parameters of one"
    add_member(group, "--recipe", "recovery step", text, metavar="FILE")
    group.add_argument("--first-weights", metavar="FILE", help="of --recipe: the weights that its steps rewind to")
    group.add_argument("--write-recipe", metavar="FILE", help="write the recipe as JSON")
    group.add_argument("--schedule", choices=SCHEDULES, help="when to prune (default: one_shot)")
    group.add_argument("--rounds", type=whole, metavar="N", help="of iterative and lottery (default: 4)")
    text = "in total (default: 20); of lottery, in each round (default: as long as the model was trained)"
    group.add_argument("--epochs", type=whole, metavar="N", help=text)
    group.add_argument("--lr", type=real, metavar="X", help="learning rate (default: what suits the model)")
    group.add_argument("--optimiser", choices=("adamw", "sgd"), help="default: adamw")
    group.add_argument("--no-refresh", action="store_true", help="leave the batch-norm statistics as they are")
    group.add_argument("--distil", metavar="T,W", help="the dense model teaches: temperature and weight, e.g. 4,0.7")
    group.add_argument("--rise", choices=SPARSITY_SCHEDULES, help="of gradual: how sparsity rises (default: cubic)")
    group.add_argument("--rising", type=share, metavar="S", help="of gradual: share of its epochs (default: 0.6)")
    group.add_argument("--rewind", choices=("init", "early"), help="of lottery (default: init)")
    text = (
        "instead, what it must beat: dense (a narrower network with as many parameters as pruning leaves, trained from "
        "scratch for as many epochs, those of the model's own training included); of lottery also reinit (fresh random "
        "weights) and shuffle_mask (a random mask)"
    )
    group.add_argument("--control", choices=("dense", *OF_TICKETS), help=text)
    text = "at last, round the weights to so many bits (2 to 8); simulated, so OUT holds them as float"
    group.add_argument("--bits", type=whole, metavar="B", help=text)
    return group
