"""The flags that say what to prune, and the PruneSpec they become."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.spec import Limit, PruneSpec

_BIGGEST_SPEC = 10_000_000


def prune_spec(args: Arguments) -> PruneSpec:
    """The request made by the flags."""
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
    member = CRITERIA.get(text)
    takes_seed = "seed" in {f.name for f in fields(member)} and "seed=" not in text  # type: ignore[arg-type]
    return CRITERIA.get(text, seed=seed) if takes_seed else member


def _allocation(args: Arguments) -> Any:
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
