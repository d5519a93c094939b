"""The flags that say what to prune, and the PruneSpec they become."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli import arguments
from explorer.cli.arguments import Arguments, Parser
from explorer.errors import ExplorerError
from explorer.numerals import real, short

if TYPE_CHECKING:
    from explorer.pruning.spec import Limit, PruneSpec

_BIGGEST_SPEC = 10_000_000


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


def prune_spec(args: Arguments) -> PruneSpec:
    """The request made by the flags."""
    from explorer.pruning.spec import PruneSpec

    if args.spec is not None:
        choices = ("granularity", "criterion", "allocation", "sparsity", "threshold")
        if any(getattr(args, name, None) is not None for name in choices):
            raise ExplorerError("--spec already says it all.", fix="Leave out the other flags, or leave out --spec.")
        spec = PruneSpec.from_json(_read(Path(args.spec)))
    else:
        spec = PruneSpec(args.granularity or "weight", _criterion(args), _allocation(args))  # type: ignore[arg-type]
    return _limited(spec, args)


def _criterion(args: Arguments) -> Any:
    return criterion_of(args.criterion or "lp_norm", args.seed)


def criterion_of(text: str, seed: int) -> Any:
    """The criterion behind a flag; ``seed`` is that of ``--seed``, where it takes one and names none."""
    from explorer.pruning.criteria import CRITERIA

    member = CRITERIA.get(text)
    takes_seed = "seed" in {f.name for f in fields(member)} and "seed=" not in text  # type: ignore[arg-type]
    return CRITERIA.get(text, seed=seed) if takes_seed else member


def _allocation(args: Arguments) -> Any:
    from explorer.pruning.allocation import ALLOCATIONS

    sparsity, threshold = getattr(args, "sparsity", None), getattr(args, "threshold", None)
    if sparsity is not None and threshold is not None:
        raise ExplorerError("--sparsity and --threshold both say how much goes.", fix="Give one of them.")
    text = args.allocation or ("threshold" if threshold is not None else "global")
    member = ALLOCATIONS.get(text)
    for value, name, other in ((sparsity, "sparsity", "--threshold"), (threshold, "value", "--sparsity")):
        if value is None:
            continue
        if name not in {f.name for f in fields(member)}:  # type: ignore[arg-type]
            flag = "--sparsity" if name == "sparsity" else "--threshold"
            what = f"The allocation {member.key!r} takes no {flag}."
            raise ExplorerError(what, fix=f"Use {other}, or another --allocation.")
        member = ALLOCATIONS.get(text, **{name: value})
    return member


def _limited(spec: PruneSpec, args: Arguments) -> PruneSpec:
    changes: list[tuple[str, dict[str, Any]]] = [(name, {"locked": True}) for name in args.lock]
    changes += [(name, {"locked": False}) for name in args.unlock]
    changes += [(name, {"floor": value}) for name, value in args.floor]
    changes += [(name, {"cap": value}) for name, value in args.cap]
    merged: dict[str, dict[str, Any]] = {}
    for name, change in changes:
        merged.setdefault(name, {}).update(change)
    for name, change in merged.items():
        limit: Limit = spec.limit(name)
        spec = spec.with_limit(name, replace(limit, **change))
    return spec


def _read(path: Path) -> str:
    try:
        if not path.is_file():
            raise ExplorerError(f"There is no file {path}.", fix="Give --spec the path of a PruneSpec as JSON.")
        if path.stat().st_size > _BIGGEST_SPEC:
            raise ExplorerError(f"{path} is too large to be a PruneSpec.", fix="Give --spec another file.")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ExplorerError(f"{path} is not text.", fix="Give --spec the path of a PruneSpec as JSON.") from None
    except OSError as error:
        raise ExplorerError(f"{path} could not be read.", why=f"{error.strerror}.", fix="Give another file.") from None
