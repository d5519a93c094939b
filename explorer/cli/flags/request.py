"""The flags that say what to prune, and the PruneSpec they become."""

from __future__ import annotations

import argparse

from explorer.cli import arguments
from explorer.cli.arguments import Parser
from explorer.numerals import real, short


def share(text: str) -> float:
    """A share from 0 to 1; ``80%`` is taken as 0.8."""
    try:
        return real(real(text.removesuffix("%")) / (100 if text.endswith("%") else 1), 0, 1)
    except ValueError:
        problem = f"{short(text)} is not a share from 0 to 1 (80 percent is 0.8)"
        raise argparse.ArgumentTypeError(problem) from None


def named_share(text: str) -> tuple[str, float]:
    """``"conv1=0.5"`` -> ("conv1", 0.5)."""
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not LAYER=SHARE such as conv1=0.5")
    return name, share(value)


def add_request(parser: Parser, *, one_level: bool = True) -> None:
    """The four choices, and what single layers allow. Members are written like ``lp_norm:p=1``."""
    group = parser.add_argument_group("what to prune")
    group.add_argument(
        "--granularity",
        metavar="G",
        help="what is one unit: weight (default), out_channel, head, mlp_neuron, hidden_unit, layer, in_channel, "
        "kernel, block:rows=4,columns=4, n_of_m:n=2,m=4",
    )
    group.add_argument(
        "--criterion",
        metavar="C",
        help="which units go first. By the weights: lp_norm (default; lp_norm:p=1), lamp, geometric_median, bn_scale, "
        "random. By samples of the fit split: gradient, taylor, snip, fisher, obd, movement, wanda, apoz, obs, "
        "head_confidence (taylor:n_samples=512)",
    )
    group.add_argument(
        "--allocation",
        metavar="A",
        help="how many from each layer: global (default), uniform, erk, per_layer, threshold, "
        "sensitivity (scans the model first)",
    )
    if one_level:
        group.add_argument("--sparsity", type=share, metavar="S", help="share to prune, from 0 to 1")
        group.add_argument("--threshold", type=arguments.real, metavar="T", help="prune the scores below T")
    group.add_argument("--spec", metavar="FILE", help="a PruneSpec as JSON instead of the flags above")
    add_limits(group)


def add_limits(group: argparse._ArgumentGroup) -> None:
    """What single layers allow."""
    group.add_argument("--lock", action="append", default=[], metavar="LAYER", help="nothing goes there (repeatable)")
    group.add_argument("--unlock", action="append", default=[], metavar="LAYER", help="undo a lock set by default")
    for flag, text in (("--floor", "at least this share goes there"), ("--cap", "at most this share goes there")):
        group.add_argument(flag, type=named_share, action="append", default=[], metavar="LAYER=S", help=text)
