"""The flags that say what to prune, and the PruneSpec they become."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from explorer.cli.arguments import Arguments, Flags
from explorer.errors import ExplorerError
from explorer.params.numerals import real
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types.aliases import JsonDict

_BIGGEST_SPEC = 10_000_000


@dataclass(frozen=True)
class PruneFlags(Flags):
    """What to prune, as the flags say it; not every command has all of them."""

    granularity: str | None = None
    criterion: str | None = None
    allocation: str | None = None
    sparsity: float | None = None
    threshold: float | None = None
    spec: str | None = None
    lock: Sequence[str] = ()
    unlock: Sequence[str] = ()
    floor: Sequence[tuple[str, float]] = ()
    cap: Sequence[tuple[str, float]] = ()
    seed: int = 0
    then_sparsity: float | None = None
    then_criterion: str | None = None
    then_allocation: str | None = None

    @property
    def is_a_choice(self) -> bool:
        """Whether anything says what to prune beside a file and limits of single layers."""
        choices = (self.granularity, self.criterion, self.allocation, self.sparsity, self.threshold)
        return any(choice is not None for choice in (*choices, *self.of_then))

    @property
    def of_then(self) -> tuple[object, ...]:
        """What is said of the single weights that go after whole units."""
        return self.then_sparsity, self.then_criterion, self.then_allocation


def prune_spec(args: Arguments) -> PruneSpec:
    """The request made by the flags."""
    flags = PruneFlags.of(args)
    if flags.spec is None:
        criterion = criterion_of(flags.criterion or "lp_norm", flags.seed)
        spec = PruneSpec(flags.granularity or "weight", criterion, _allocation(flags), then=_then(flags))  # type: ignore[arg-type]
        return _limited(spec, flags)
    if flags.is_a_choice:
        raise ExplorerError("--spec already says it all.", fix="Leave out the other flags, or leave out --spec.")
    text = flags.spec if flags.spec.lstrip().startswith("{") else _read(Path(flags.spec))
    return _limited(PruneSpec.from_json(text), flags)


def _then(flags: PruneFlags) -> PruneSpec | None:
    """The single weights that go after whole units; None where nothing is said of them."""
    if all(value is None for value in flags.of_then):
        return None
    if flags.granularity in (None, "weight"):
        what = "Single weights go after whole units, and none are asked for."
        raise ExplorerError(what, fix="Add --granularity out_channel, or leave --then-sparsity out.")
    own = PruneFlags(sparsity=flags.then_sparsity, allocation=flags.then_allocation)
    criterion = criterion_of(flags.then_criterion or "lp_norm", flags.seed)
    return PruneSpec(criterion=criterion, allocation=_allocation(own))


def criterion_of(text: str, seed: int) -> Any:
    """The criterion behind a flag; ``seed`` is that of ``--seed``, where it takes one and names none."""
    member = CRITERIA.get(text)
    takes_seed = "seed" in {f.name for f in fields(member)} and "seed=" not in text  # type: ignore[arg-type]
    return CRITERIA.get(text, seed=seed) if takes_seed else member


def levels(flag: str, text: str, low: float, high: float) -> tuple[float, ...]:
    """The numbers of a list such as ``1,2,4`` or ``0.5,0.9``, each from ``low`` to ``high``."""
    parts = [part for part in re.split(r"[,\s]+", text.strip()) if part]
    try:
        numbers = tuple(real(part.rstrip("xX"), low, high) for part in parts)
    except ValueError:
        numbers = ()
    if not numbers:
        end = f"to {high:g}" if high != float("inf") else "on"
        raise ExplorerError(f"{flag} {text!r} is not a list of numbers from {low} {end}.", fix=f"Write {flag} 1,0.5.")
    return numbers


def _allocation(flags: PruneFlags) -> Any:
    sparsity, threshold = flags.sparsity, flags.threshold
    if sparsity is not None and threshold is not None:
        raise ExplorerError("--sparsity and --threshold both say how much goes.", fix="Give one of them.")
    text = flags.allocation or ("threshold" if threshold is not None else "global")
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


def _limited(spec: PruneSpec, flags: PruneFlags) -> PruneSpec:
    changes: list[tuple[str, JsonDict]] = [(name, {"locked": True}) for name in flags.lock]
    changes += [(name, {"locked": False}) for name in flags.unlock]
    changes += [(name, {"floor": value}) for name, value in flags.floor]
    changes += [(name, {"cap": value}) for name, value in flags.cap]
    merged: dict[str, JsonDict] = {}
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
