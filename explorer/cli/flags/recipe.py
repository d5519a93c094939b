"""The flags that say how to recover, and the Recipe they become."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from explorer.cli.arguments import Parser, real, whole
from explorer.cli.flags.members import add_member, keys
from explorer.cli.flags.request import share
from explorer.params import Param, param_of, params_of
from explorer.recovery.settings import QuantizeSettings, RewindSettings, RisingSettings, TrainingSettings

SCHEDULES = ("one_shot", "iterative", "gradual", "rigl", "lottery")
OF_TICKETS = ("reinit", "shuffle_mask")
_OTHER_NAMES = {"learning_rate": "lr", "schedule": "rate_schedule"}
# Settings of training by the names of their flags; --seed is that of the whole command.
TRAINING: Mapping[str, str] = {
    p.name: _OTHER_NAMES.get(p.name, p.name) for p in params_of(TrainingSettings) if p.name != "seed"
}


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
    group.add_argument("--no-refresh", action="store_true", help="leave the batch-norm statistics as they are")
    add_setting(group, "--rise", param_of(RisingSettings, "rise"), "of gradual")
    add_setting(group, "--rising", param_of(RisingSettings, "rising"), "of gradual", kind=share)
    add_setting(group, "--rewind", param_of(RewindSettings, "to"), "of lottery")
    text = (
        "instead, what it must beat: dense (a narrower network with as many parameters as pruning leaves, trained from "
        "scratch for as many epochs, those of the model's own training included); of lottery also reinit (fresh random "
        "weights) and shuffle_mask (a random mask)"
    )
    group.add_argument("--control", choices=("dense", *OF_TICKETS), help=text)
    text = "at last, round the weights to so many bits; simulated, so OUT holds them as float"
    add_setting(group, "--bits", param_of(QuantizeSettings, "bits"), text, has_default=False)
    add_training(parser)
    return group


def add_training(parser: Parser) -> None:
    """A flag for each setting of training; what is not given suits the model."""
    group = parser.add_argument_group("how to train", "What is not given suits the model, as it was trained.")
    texts = {"epochs": "in all (default: 20); of lottery, in each round (default: as the model was trained)"}
    for p in params_of(TrainingSettings):
        if p.name in TRAINING:
            flag = f"--{TRAINING[p.name].replace('_', '-')}"
            add_setting(group, flag, p, texts.get(p.name, ""), has_default=False)
    text = "the dense model teaches: short for --temperature T --distil-weight W, e.g. 4,0.7"
    group.add_argument("--distil", metavar="T,W", help=text)


def add_setting(
    group: argparse._ArgumentGroup,
    flag: str,
    p: Param,
    about: str = "",
    *,
    kind: Callable[[str], object] | None = None,
    has_default: bool = True,
) -> None:
    """A flag as a setting declares itself; None where it is not given, so that what suits the model holds.

    ``about`` stands for its label. ``has_default``: whether the declared default is that of the command. ``kind``
    reads the text otherwise than the type of the setting says.
    """
    default = f"default: {p.default}" if has_default else ""
    limits = "; ".join(part for part in ("" if p.choices else p.range, default) if part)
    text = (about or p.label.lower()) + (f" ({limits})" if limits else "") + (f". {p.help}" if p.help else "")
    if p.choices:
        group.add_argument(flag, choices=p.choices, help=text)
        return
    read, metavar = (whole, "N") if p.type == "whole number" else (real, "X")
    group.add_argument(flag, type=kind or read, metavar=metavar, help=text)
