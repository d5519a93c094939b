"""The flags that say what to prune, and the PruneSpec they become."""

from __future__ import annotations

import argparse

from explorer.cli import arguments
from explorer.cli.arguments import Parser
from explorer.cli.flags.members import add_member, keys, listed
from explorer.params.numerals import real, short


def share(text: str) -> float:
    """A share from 0 to 1; ``80%`` is taken as 0.8."""
    try:
        return real(real(text.removesuffix("%")) / (100 if text.endswith("%") else 1), 0, 1)
    except ValueError:
        problem = f"{short(text)} is not a share from 0 to 1 (80 percent is 0.8)"
        raise argparse.ArgumentTypeError(problem) from None


def worse(text: str) -> float:
    """How much worse a metric may become: from 0 on, in its own unit; ``5%`` is taken as 0.05."""
    try:
        return real(real(text.removesuffix("%")) / (100 if text.endswith("%") else 1), 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{short(text)} is not a number from 0 on (0.05 is 5 points)") from None


def named_share(text: str) -> tuple[str, float]:
    """``"conv1=0.5"`` -> ("conv1", 0.5)."""
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not LAYER=SHARE such as conv1=0.5")
    return name, share(value)


def add_request(parser: Parser, *, one_level: bool = True) -> None:
    """The four choices, and what single layers allow. Members are written like ``lp_norm:p=1``."""
    group = parser.add_argument_group("what to prune")
    add_granularity(group)
    add_criterion(group)
    usual = {"global": "global (default)", "sensitivity": "sensitivity (scans the model first)"}
    names = ", ".join(usual.get(key, key) for key in keys("allocation"))
    text = f"how many from each layer: {names}. 'uniform:?' tells the parameters of one"
    add_member(group, "--allocation", "allocation", text, metavar="A")
    if one_level:
        group.add_argument("--sparsity", type=share, metavar="S", help="share to prune, from 0 to 1")
        group.add_argument("--threshold", type=arguments.real, metavar="T", help="prune the scores below T")
    group.add_argument(
        "--spec", metavar="FILE", help="a PruneSpec as JSON, or the JSON itself, instead of the flags above"
    )
    add_limits(group)
    add_then(parser)


def add_granularity(group: argparse._ActionsContainer, default: str | None = None) -> None:
    """What is one unit. ``default`` is what the command sees where the flag is not given."""
    names = ", ".join(f"{key} (default)" if key == "weight" else key for key in keys("granularity"))
    text = f"what is one unit: {names}. 'block:?' tells the parameters of one (block:rows=4,columns=4)"
    add_member(group, "--granularity", "granularity", text, metavar="G", default=default)


def add_criterion(group: argparse._ActionsContainer) -> None:
    """Which units go first."""
    text = f"which units go first. {criteria_in_words('lp_norm')}. 'taylor:?' tells the parameters of one (lp_norm:p=1)"
    add_member(group, "--criterion", "criterion", text, metavar="C")


def criteria_in_words(default: str = "") -> str:
    """Every criterion, by what it looks at."""
    names = {
        needs_samples: ", ".join(
            f"{listing.key} (default)" if listing.key == default else listing.key
            for listing in listed("criterion")
            if listing.needs_samples is needs_samples
        )
        for needs_samples in (False, True)
    }
    return f"By the weights: {names[False]}. By samples of the fit split: {names[True]}"


def add_limits(group: argparse._ArgumentGroup) -> None:
    """What single layers allow."""
    group.add_argument("--lock", action="append", default=[], metavar="LAYER", help="nothing goes there (repeatable)")
    group.add_argument("--unlock", action="append", default=[], metavar="LAYER", help="undo a lock set by default")
    for flag, text in (("--floor", "at least this share goes there"), ("--cap", "at most this share goes there")):
        group.add_argument(flag, type=named_share, action="append", default=[], metavar="LAYER=S", help=text)


def add_then(parser: Parser) -> None:
    """Single weights of what whole units leave."""
    group = parser.add_argument_group("and then single weights", "Of what the whole units above leave.")
    group.add_argument("--then-sparsity", type=share, metavar="S", help="share of the weights that are left, 0 to 1")
    for part, letter, usual in (("criterion", "C", "lp_norm"), ("allocation", "A", "global")):
        text = f"as --{part}, for the single weights (default: {usual})"
        add_member(group, f"--then-{part}", part, text, metavar=letter)
