"""One comparison of methods: what is measured for it, and what may be concluded from what is measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

from explorer.analysis.comparison.naming import allocation_name, control_names, legend_names, named, sentence_names
from explorer.analysis.comparison.protocol import in_words
from explorer.analysis.comparison.seeds import Level, levels
from explorer.analysis.comparison.subject import Subject
from explorer.analysis.comparison.verdict import METHOD, Verdict, compared, sizes_in_words, telling
from explorer.errors import ExplorerError
from explorer.pruning.classifier import with_locked_classifier
from explorer.pruning.controls import NAMES, controls_of, draws_by_chance, with_seeds
from explorer.pruning.granularity.base import Granularity
from explorer.pruning.layers import layer_table
from explorer.pruning.level import with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, PruningGroup, TradeOff, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Brief, Shown

SEEDS = (0, 1, 2)
BUDGET = 0.01
"""The drop (a fraction) that a verdict allows where nothing else is asked."""

GroupsOf = Callable[[Granularity], Sequence[PruningGroup]]


class Request(NamedTuple):
    """One curve to measure at rising compression; ``label`` is that of its method, whatever the seed."""

    label: str
    spec: PruneSpec


@dataclass(frozen=True, repr=False)
class Method(Brief):
    """One of the things compared: its request once for each seed, its names, and whether it is there to be beaten.

    ``label`` leaves out what all methods share; ``name`` stands alone in a sentence: "Magnitude (global)", "random".
    """

    specs: tuple[PruneSpec, ...]
    label: str
    name: str
    is_control: bool = False

    @property
    def spec(self) -> PruneSpec:
        """The request of the first seed."""
        return self.specs[0]

    @property
    def is_seeded(self) -> bool:
        """Whether anything of it draws by chance."""
        return draws_by_chance(self.spec)

    def _in_brief(self) -> JsonObject:
        return {"name": self.name, "seeds": len(self.specs), "is_control": self.is_control}


class Pair(NamedTuple):
    """A method beside one of its controls; ``control`` may be a method of its own right. ``verdicts`` by rising
    compression, for what is measured of both."""

    method: Method
    control: Method
    verdicts: tuple[Verdict, ...]


class Reach(NamedTuple):
    """How far a method gets within a budget: its smallest model there, the means over ``n_seeds`` seeds."""

    method: Method
    compression_ratio: float
    accuracy: float
    n_seeds: int
    drop: float = 0.0
    unit: str = "fraction"


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Methods beside their controls; the same value on the screen, on the command line and in Python.

    A control differs from its method in the criterion alone: it has the same granularity, allocation, limits and
    ``seeds``. Controls are pruning by chance and plain magnitude, as far as they are not the method itself.
    ``lock_classifier``: ``methods`` hold the classifier where it is, and so do their controls. Without ``seeds`` each
    method draws as its own request says. ``points`` are what is measured so far: give more by :meth:`with_points`.

    Examples:
        >>> import explorer as ex
        >>> comparison = ex.compare_methods("digits-mlp", [ex.PruneSpec()], ratios=(2, 4), seeds=(0,))
        >>> [curve.label for curve in comparison.curves if curve.is_control]
        ['random, the control']

    Source: the rules of Blalock et al. 2020, arXiv:2003.03033, section 6.
    """

    methods: tuple[PruneSpec, ...]
    seeds: tuple[int, ...]
    lock_classifier: bool
    subject: Subject
    has_controls: bool = True
    points: tuple[TradeOffPoint, ...] = ()

    @classmethod
    def of(
        cls,
        model: LoadedModel,
        data: Dataset,
        methods: Iterable[PruneSpec],
        *,
        seeds: Sequence[int] = SEEDS,
        lock_classifier: bool = True,
        has_controls: bool = True,
        groups_of: GroupsOf | None = None,
    ) -> Self:
        """The comparison of ``methods`` (their levels are left out of account) for this model on these data.

        ``groups_of`` gives the groups of a granularity where they are at hand. Raises ExplorerError where there is
        nothing to compare, and for an allocation without one overall sparsity.
        """
        distinct = list(dict.fromkeys(_at_no_level(spec) for spec in methods))
        if not distinct:
            raise ExplorerError("There is nothing to compare.", fix="Give at least one method.")
        if len(set(seeds)) < len(seeds):
            raise ExplorerError("A seed counts once.", fix="Give each seed once, such as seeds=(0, 1, 2).")
        if lock_classifier:
            distinct = _with_locked_classifier(distinct, model, groups_of)
        return cls(tuple(distinct), tuple(seeds), lock_classifier, Subject.of(model, data), has_controls)

    def with_points(self, points: Iterable[TradeOffPoint]) -> Self:
        """The same comparison with more measured points, in any order; what none of its requests asked for is no part
        of it."""
        own = (point for point in points if not point.protocol and _key(point.spec) in self._place_of)
        return replace(self, points=(*self.points, *own))

    def requests(self) -> tuple[Request, ...]:
        """What is to be measured: each method and then each control, once for each seed where it draws by chance."""
        return tuple(Request(method.label, spec) for method in self.compared for spec in method.specs)

    @cached_property
    def compared(self) -> tuple[Method, ...]:
        """All that is compared: the methods in the order given, then the controls that are none of them."""
        own = list(zip(self.methods, legend_names(self.methods), sentence_names(self.methods), strict=True))
        controls = self._controls
        beside = zip(controls, control_names(controls), strict=True)
        return (
            *(Method(self._seeded(spec), label, name) for spec, label, name in own),
            *(Method(self._seeded(spec), label, NAMES[spec.criterion.key], is_control=True) for spec, label in beside),
        )

    @cached_property
    def curves(self) -> tuple[TradeOff, ...]:
        """The measured points of each of :attr:`compared`, also of those without a point yet."""
        places: list[list[TradeOffPoint]] = [[] for _ in self.compared]
        for point in self.points:
            places[self._place_of[_key(point.spec)]].append(point)
        return tuple(
            TradeOff(method.label, tuple(some), method.is_control)
            for method, some in zip(self.compared, places, strict=True)
        )

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Each method with each of its controls, chance first."""
        if not self.has_controls:
            return ()
        by_spec = {method.spec: i for i, method in reversed(list(enumerate(self.compared)))}
        return tuple(
            self._pair(by_spec[self._seeded(spec)[0]], by_spec[self._seeded(control)[0]])
            for spec in self.methods
            for control in controls_of(spec)
        )

    def ratios(self) -> tuple[float, ...]:
        """The compression ratios at which verdicts can be given so far, rising."""
        return tuple(sorted({verdict.at for pair in self.pairs for verdict in pair.verdicts}))

    def furthest(self, budget: float = BUDGET) -> float | None:
        """The ratio that tells most: the furthest at which a method's drop is within ``budget`` (a fraction), else the
        least of all; None where nothing can be concluded yet."""
        best = (telling(self.curves[self._index(p.method)], p.verdicts, budget) for p in self.pairs)
        return max((verdict.at for verdict in best if verdict is not None), default=None)

    def verdicts(self, at: float) -> tuple[Verdict, ...]:
        """What may be concluded at one compression ratio, the most accurate method first, chance before magnitude."""
        return tuple(verdict for some in self._by_method(at) for verdict in some)

    def sentences(self, at: float) -> tuple[str, ...]:
        """The verdicts at one compression ratio in words, one line a method, the most accurate first."""
        return tuple(_line(some) for some in self._by_method(at))

    def over_sizes(self) -> tuple[str, ...]:
        """The verdicts on each pair at all sizes measured so far, one sentence a pair."""
        return tuple(text for pair in self.pairs if (text := sizes_in_words(pair.verdicts)))

    def reach(self, budget: float = BUDGET) -> tuple[Reach, ...]:
        """How far each method and control gets with a drop of at most ``budget`` (a fraction), the furthest first."""
        rows = []
        for method, curve in zip(self.compared, self.curves, strict=True):
            within = [level for level in levels(curve.points) if level.drop <= budget]
            if within:
                best = max(within, key=_ratio)
                unit = best.points[0].accuracy.unit
                rows.append(Reach(method, _ratio(best), best.accuracy, best.n_seeds, best.drop, unit))
        return tuple(sorted(rows, key=lambda row: (-row.compression_ratio, row.drop)))

    def records(self) -> tuple[JsonDict, ...]:
        """One row for each measured point, in full; shares are fractions."""
        return tuple(
            _record(method, point)
            for method, curve in zip(self.compared, self.curves, strict=True)
            for point in curve.points
        )

    def scope(self, at: float | None = None) -> str:
        """How far a claim reaches: model, data, samples, the classifier, how its interval was made, and looks at test.

        ``at`` is the ratio that the claim is about; its seeds are those that are measured there.
        """
        verdicts = self.verdicts(at) if at is not None else ()
        seeds = min((verdict.second_seeds for verdict in self._against_chance(verdicts)), default=0)
        parts = [self.subject.data_in_words(), self._classifier_in_words()]
        parts += [f"{METHOD} ({seeds} seed{'s' * (seeds != 1)} of the control)."] if seeds else []
        return " ".join(filter(None, [*parts, self.subject.looks]))

    def __str__(self) -> str:
        at = self.furthest()
        lines = self.sentences(at) if at is not None else ["No verdict yet."]
        return "\n".join([*lines, self.scope(at)])

    @cached_property
    def _controls(self) -> tuple[PruneSpec, ...]:
        """The controls of all methods, each once, without those that are compared as methods."""
        if not self.has_controls:
            return ()
        own = {self._seeded(spec)[0] for spec in self.methods}
        controls = dict.fromkeys(control for spec in self.methods for control in controls_of(spec))
        by_kind = sorted(controls, key=lambda control: list(NAMES).index(control.criterion.key))
        return tuple(control for control in by_kind if self._seeded(control)[0] not in own)

    @cached_property
    def _place_of(self) -> dict[str, int]:
        """Which of the compared a request belongs to, whatever its level."""
        return {_key(spec.to_json()): i for i, method in enumerate(self.compared) for spec in method.specs}

    def _classifier_in_words(self) -> str:
        name = self.subject.classifier
        if name is None:
            return ""
        is_locked = self.lock_classifier or all(spec.limit(name).locked for spec in self.methods)
        return f"The classifier {name} is {'locked' if is_locked else 'free to be pruned'} in all of them."

    def _seeded(self, spec: PruneSpec) -> tuple[PruneSpec, ...]:
        return with_seeds(spec, self.seeds) if self.seeds else (spec,)

    def _pair(self, method: int, control: int) -> Pair:
        one, other = self.compared[method], self.compared[control]
        first = replace(self.curves[method], label=one.name)
        second = replace(self.curves[control], label=self._control_in_words(other.spec))
        return Pair(one, other, compared(first, second))

    def _control_in_words(self, spec: PruneSpec) -> str:
        """ "random"; with its allocation where several are compared: a control has that of its method."""
        name = NAMES[spec.criterion.key]
        several = len({method.allocation for method in self.methods}) > 1
        return f"{name} ({allocation_name(spec)})" if several else name

    def _index(self, method: Method) -> int:
        return self.compared.index(method)

    def _by_method(self, at: float) -> list[list[Verdict]]:
        """The verdicts at a level, those of one method together."""
        verdicts: dict[Method, list[Verdict]] = {}
        for pair in self.pairs:
            here = [verdict for verdict in pair.verdicts if verdict.at == at]
            if here:
                verdicts.setdefault(pair.method, []).extend(here)
        return sorted(verdicts.values(), key=lambda some: some[0].rank)

    def _against_chance(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Those whose control draws by chance; all where none does."""
        chance = [verdict for verdict in verdicts if verdict.second.partition(" (")[0] == NAMES["random"]]
        return chance or list(verdicts)

    def _in_brief(self) -> JsonObject:
        methods = [method.name for method in self.compared if not method.is_control]
        return {"methods": methods, "seeds": self.seeds, "points": len(self.points), "ratios": self.ratios()}


def _with_locked_classifier(
    methods: Sequence[PruneSpec], model: LoadedModel, groups_of: GroupsOf | None
) -> list[PruneSpec]:
    layers = layer_table(model)
    groups_of = groups_of or (lambda unit: unit.groups(model, layers))
    groups = {unit: groups_of(unit) for unit in dict.fromkeys(spec.granularity for spec in methods)}
    return list(dict.fromkeys(with_locked_classifier(spec, model, groups[spec.granularity]) for spec in methods))


def _at_no_level(spec: PruneSpec) -> PruneSpec:
    """The request at the level that its allocation has by default: a comparison sets its own."""
    return with_sparsity(spec, 0.0)


def _key(spec: JsonObject) -> str:
    """Equal for requests that differ in their overall sparsity alone."""
    allocation = {name: value for name, value in spec["allocation"].items() if name != "sparsity"}
    return json.dumps({**spec, "allocation": allocation}, sort_keys=True)


def _line(verdicts: Sequence[Verdict]) -> str:
    """The verdicts on one method as sentences: it is named once."""
    texts = [verdict.sentence for verdict in verdicts]
    texts[1:] = [f"it{text.removeprefix(verdicts[0].first)}" for text in texts[1:]]
    return " ".join(f"{text[:1].upper()}{text[1:]}." for text in texts)


def _ratio(level: Level) -> float:
    return level.mean(lambda point: point.compression_ratio)


def _record(method: Method, point: TradeOffPoint) -> JsonDict:
    return {
        "unit": method.spec.granularity.label,
        "criterion": named(method.spec.criterion, ("seed",)),
        "allocation": method.spec.allocation.label,
        "control": method.is_control,
        "seed": point.seed if method.is_seeded else None,
        "protocol": in_words(point.protocol),
        "compression_ratio_asked": point.asked_ratio,
        "compression_ratio": point.compression_ratio,
        "sparsity_asked": point.asked,
        "sparsity": point.sparsity,
        "theoretical_speedup": point.theoretical_speedup,
        "smallest_file_bytes": point.size_bytes,
        "judged_by": point.accuracy.name,
        "accuracy": point.accuracy.value,
        "accuracy_low": point.accuracy.low,
        "accuracy_high": point.accuracy.high,
        "drop": point.drop.value,
        "drop_low": point.drop.low,
        "drop_high": point.drop.high,
        "n": point.accuracy.n,
        "split": "tune",
        "machine": point.accuracy.machine,
        "date": point.accuracy.date,
    }
