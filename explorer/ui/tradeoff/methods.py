"""Ways of pruning: what each compared curve prunes, its seeds, its name, and the controls that it must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from explorer.errors import ExplorerError
from explorer.params import params_of
from explorer.pruning import criteria
from explorer.pruning.allocation import ALLOCATIONS
from explorer.pruning.classifier import with_locked_classifier
from explorer.pruning.controls import MAGNITUDE, NAMES, RANDOM, draws_by_chance, with_seeds
from explorer.pruning.criteria.base import Criterion
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from explorer.ui.shell import cache

# In a legend, where the long name would fill the line.
_SHORT = {"global": "global", "uniform": "uniform"}


@dataclass(frozen=True)
class Way:
    """One way of pruning: a curve of its own, of one request for each seed.

    ``label`` leaves out what all compared ways share, ``full`` does not.
    """

    label: str
    unit: str
    criterion: str
    allocation: str
    specs: tuple[PruneSpec, ...]
    is_control: bool = False
    names_unit: bool = False

    @property
    def full(self) -> str:
        """A name that stands alone in a sentence: "Magnitude (global)"; of a control "random"."""
        if self.is_control:
            return NAMES[self.criterion_key]
        unit = f"{self.unit.lower()}, " if self.names_unit else ""
        return f"{self.criterion} ({unit}{_short(self.spec)})"

    @property
    def criterion_key(self) -> str:
        return self.spec.criterion.key

    @property
    def spec(self) -> PruneSpec:
        """The request of the first seed."""
        return self.specs[0]

    @property
    def is_seeded(self) -> bool:
        return draws_by_chance(self.spec)


def ways(
    model: LoadedModel,
    pairs: Sequence[tuple[str, Criterion]],
    allocations: Sequence[str],
    n_seeds: int,
    *,
    lock: bool = True,
) -> list[Way]:
    """Every pair of unit and criterion under every allocation once, then the controls of each unit.

    Whatever draws by chance has ``n_seeds`` seeds. ``lock`` holds the classifier in all of them alike.
    """

    def held(spec: PruneSpec) -> tuple[PruneSpec, ...]:
        if lock:
            groups = cache.scores(model, PruneSpec(spec.granularity), None).groups
            spec = with_locked_classifier(spec, model, groups)
        return with_seeds(spec, range(n_seeds))

    specs = dict.fromkeys(
        PruneSpec(GRANULARITIES.get(unit), effective(unit, measure), ALLOCATIONS.get(allocation))
        for unit, measure in pairs
        for allocation in allocations
    )
    found = [_way(spec, [*specs], held(spec)) for spec in specs]
    units = list(dict.fromkeys(unit for unit, _ in pairs))
    return found + [_control(spec, len(units) > 1, held(spec)) for spec in _controls(units, pairs)]


def effective(unit: str, measure: Criterion) -> Criterion:
    """On single weights every norm is |w|: one curve, under the default order."""
    return criteria.get(measure.key) if unit == "weight" and measure.key == MAGNITUDE else measure


def named(criterion: Criterion) -> str:
    """A criterion with those of its parameters that differ from the default: "Magnitude, p=1"."""
    values = [
        (p.name, getattr(criterion, p.name)) for p in params_of(criterion) if getattr(criterion, p.name) != p.default
    ]
    return ", ".join([criterion.label, *(f"{name}={_value(value)}" for name, value in values)])


def label_of(member: object) -> str:
    """The name of a member of a registry on the screen."""
    return str(cast(Any, member).label)


def in_words_of(request: Mapping[str, Any]) -> str:
    """A kept request in words: "Weights by magnitude, global"; empty if it cannot be read."""
    try:
        spec = PruneSpec.from_json(request)
    except ExplorerError:
        return ""
    unit, measure = spec.granularity.label, named(spec.criterion)
    # Names such as LAMP keep their capitals.
    measure = measure if measure[1:2].isupper() else f"{measure[:1].lower()}{measure[1:]}"
    allocation = _short(spec)
    n = len(spec.limits)
    held = f", {n} line{'s' * (n != 1)} held" if n else ""
    return f"{unit} by {measure}, {allocation[:1].lower()}{allocation[1:]}{held}"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _controls(units: Sequence[str], pairs: Sequence[tuple[str, Criterion]]) -> list[PruneSpec]:
    """Chance for each unit, and magnitude where it is not compared itself."""
    keys = [
        (unit, key)
        for unit in units
        for key in (RANDOM, MAGNITUDE)
        if key == RANDOM or all(measure.key != key for u, measure in pairs if u == unit)
    ]
    return [PruneSpec(GRANULARITIES.get(unit), criteria.get(key), ALLOCATIONS.get("global")) for unit, key in keys]


def _control(spec: PruneSpec, names_unit: bool, specs: tuple[PruneSpec, ...]) -> Way:
    label = f"{NAMES[spec.criterion.key]}, {spec.granularity.label.lower() if names_unit else 'the control'}"
    return Way(label, spec.granularity.label, spec.criterion.label, spec.allocation.label, specs, is_control=True)


def _way(spec: PruneSpec, among: list[PruneSpec], specs: tuple[PruneSpec, ...]) -> Way:
    unit, measure = spec.granularity.label, named(spec.criterion)
    parts = [unit] if len({s.granularity for s in among}) > 1 else []
    parts += [measure] if len({s.criterion for s in among}) > 1 or len(among) == 1 else []
    several = len({s.allocation for s in among}) > 1 or len(among) == 1
    parts += [_short(spec)] if several else []
    names_unit = len({s.granularity for s in among}) > 1
    return Way(", ".join(parts), unit, measure, spec.allocation.label, specs, names_unit=names_unit)


def _short(spec: PruneSpec) -> str:
    return _SHORT.get(spec.allocation.key, spec.allocation.label)
