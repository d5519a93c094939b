"""Methods in words: names for a legend, and names that stand alone in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from explorer.errors import ExplorerError
from explorer.params import params_of
from explorer.pruning.controls import NAMES
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.spec import PruneSpec
from explorer.types.aliases import JsonObject

# In a legend, where the long name would fill the line.
_SHORT = {"global": "global", "uniform": "uniform"}
# What a curve runs over is no part of its name.
_LEFT_OUT = ("sparsity", "seed")


def named(criterion: Criterion, without: Sequence[str] = ()) -> str:
    """A criterion with those of its parameters that differ from the default: "Magnitude, p=1"."""
    return ", ".join([criterion.label, *_changed(criterion, without)])


def in_words_of(request: JsonObject) -> str:
    """A recorded request in words: "Weights by magnitude, global"; empty if it cannot be read."""
    try:
        spec = PruneSpec.from_json(request)
    except ExplorerError:
        return ""
    unit, criterion = spec.granularity.label, named(spec.criterion)
    # Names such as LAMP keep their capitals.
    criterion = criterion if criterion[1:2].isupper() else f"{criterion[:1].lower()}{criterion[1:]}"
    allocation = _SHORT.get(spec.allocation.key, spec.allocation.label)
    n = len(spec.limits)
    held = f", {n} line{'s' * (n != 1)} held" if n else ""
    return f"{unit} by {criterion}, {allocation[:1].lower()}{allocation[1:]}{held}"


def legend_names(methods: Sequence[PruneSpec]) -> list[str]:
    """A name for each method that leaves out what all of them share; no two are equal."""
    units = len({spec.granularity for spec in methods}) > 1
    criteria = len({spec.criterion for spec in methods}) > 1 or len(methods) == 1
    allocations = len({spec.allocation for spec in methods}) > 1 or len(methods) == 1
    return _told_apart(
        [
            ", ".join(
                [_unit(spec)] * units
                + [named(spec.criterion, _LEFT_OUT)] * criteria
                + [allocation_name(spec)] * (allocations or not (units or criteria))
            )
            for spec in methods
        ]
    )


def sentence_names(methods: Sequence[PruneSpec]) -> list[str]:
    """A name for each method that stands alone in a sentence: "Magnitude (global)"; no two are equal."""
    units = len({spec.granularity for spec in methods}) > 1
    return _told_apart(
        [
            f"{named(spec.criterion, _LEFT_OUT)} ({f'{_unit(spec).lower()}, ' * units}{allocation_name(spec)})"
            for spec in methods
        ]
    )


def control_names(controls: Sequence[PruneSpec]) -> list[str]:
    """A name for each control in a legend: "random, the control"; where there are several kinds, with its kind."""
    units = len({spec.granularity for spec in controls}) > 1
    allocations = len({spec.allocation for spec in controls}) > 1
    return _told_apart(
        [
            ", ".join(
                [
                    NAMES[spec.criterion.key],
                    *[_unit(spec).lower()] * units,
                    *[allocation_name(spec)] * allocations,
                    *["the control"] * (not units and not allocations),
                ]
            )
            for spec in controls
        ]
    )


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names; those that stand for several are numbered, e.g. where methods differ in what they lock alone."""
    counts, numbers = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        numbers[name] += 1
        numbered.append(f"{name}, no. {numbers[name]}" if counts[name] > 1 else name)
    return numbered


def _unit(spec: PruneSpec) -> str:
    return ", ".join([spec.granularity.label, *_changed(spec.granularity)])


def allocation_name(spec: PruneSpec) -> str:
    """ "global": short enough for a legend, with what differs from the default."""
    name = _SHORT.get(spec.allocation.key, spec.allocation.label)
    return ", ".join([name, *_changed(spec.allocation, _LEFT_OUT)])


def _changed(member: object, without: Sequence[str] = ()) -> list[str]:
    """The single numbers and words among a member's parameters that are not the default ones."""
    values = {p.name: getattr(member, p.name) for p in params_of(member) if p.name not in without}
    defaults = {p.name: p.default for p in params_of(member)}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    return [f"{name}={_value(value)}" for name, value in changed.items() if isinstance(value, int | float | str)]


def _value(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, int | float) else value
