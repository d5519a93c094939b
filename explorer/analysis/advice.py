"""Does pruning pay here? Where the weights, multiplications and milliseconds are, what could go, and what a few first
steps cost when they are measured. Never a recommendation without numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from explorer.analysis.arguments import asked_for, given_data, given_model, split_of
from explorer.analysis.layer_times import LayerTimes, layer_times
from explorer.analysis.report import finite
from explorer.analysis.tradeoff import measure, smallest_file
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError, Refusal
from explorer.metrics.base import evaluated_by
from explorer.metrics.macs import MacTable, mac_table, macs, why_no_macs
from explorer.metrics.own import Given
from explorer.metrics.size import parameters
from explorer.metrics.sparsity_support import PATTERNS, TABLE, Pattern, Support, pattern_of
from explorer.pruning.allocation.global_ import Global
from explorer.pruning.allocation.uniform import Uniform
from explorer.pruning.granularity import GRANULARITIES
from explorer.pruning.granularity.n_of_m import NOfM
from explorer.pruning.layers import layer_table
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.scoring import score, why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.text.bar import BarSteps, tracked
from explorer.text.delta import delta_ends, delta_text, named
from explorer.text.numbers import bytes_counted, percent, percent_asked, points_spelled, times, worse_by
from explorer.types import Dataset, Evaluation, LayerInfo, LoadedModel, Measurement, TradeOffPoint
from explorer.types.aliases import JsonDict
from explorer.types.brief import Shown

Outcome = Literal["within", "beyond", "cannot tell"]
Goal = Literal["size", "compute"]
GOALS: dict[Goal, str] = {"size": "A smaller file", "compute": "Less computing"}
MAX_DROP = 0.01
# First steps: a unit, and which shares of it go. Units that cannot be cut out, or patterns, are for files alone.
_STEPS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("weight", (0.5, 0.7, 0.9)),
    ("n_of_m", (1.0,)),
    ("out_channel", (0.1, 0.3, 0.5)),
    ("head", (0.25,)),
    ("mlp_neuron", (0.3, 0.5)),
    ("hidden_unit", (0.1, 0.3)),
)


@dataclass(frozen=True)
class LayerCost:
    """One module with prunable weights: these and their multiply-accumulates (counted), its time at batch 1 (measured).

    ``weight_share`` and ``mac_share`` are of the whole network; ``macs`` and ``time`` are None where it does not run.
    """

    name: str
    kind: str
    weights: int
    weight_share: float
    macs: int | None
    mac_share: float | None
    time: Measurement | None


@dataclass(frozen=True)
class RemovableUnits:
    """What is left, counted, where every unit of a kind is cut out that may go; ``why_not``: nothing of it can."""

    granularity: str
    label: str
    parameters_left: float = 1.0
    macs_left: float | None = None
    why_not: str = ""


@dataclass(frozen=True)
class FirstStep:
    """A step that was measured. ``outcome``: whether its whole 95 % interval lies within the drop that is allowed."""

    point: TradeOffPoint
    pattern: Pattern
    outcome: Outcome
    size_share: float

    @property
    def name(self) -> str:
        """ "Channels at 30%"; magnitude ranks in every step."""
        granularity = GRANULARITIES.from_json(self.point.spec["granularity"])
        if isinstance(granularity, NOfM):
            return f"{granularity.label}, {granularity.n}:{granularity.m}"
        return f"{granularity.label} at {percent_asked(self.point.asked)}"

    @property
    def compute_share(self) -> float:
        """The multiplications left, where units are cut out; else all: no dense kernel skips a zero."""
        return 1.0 / self.point.theoretical_speedup if self.pattern == "units" else 1.0

    def share(self, goal: Goal) -> float:
        """What is left of what is to be small, of the dense network."""
        return self.size_share if goal == "size" else self.compute_share


@dataclass(frozen=True, repr=False)
class Advice(Shown):
    """Where the cost is, what could go, and what came of the first steps; ``sentences()`` says what follows."""

    model: str
    data: str
    max_drop: float
    judged: str
    dense: Measurement
    dense_bytes: int
    layers: tuple[LayerCost, ...]
    times: LayerTimes | None
    removable: tuple[RemovableUnits, ...]
    steps: tuple[FirstStep, ...]

    def best(self, goal: Goal) -> FirstStep | None:
        """Of the steps that surely stay within the drop, the one that leaves least; None where none saves anything."""
        within = [step for step in self.steps if step.outcome == "within" and step.share(goal) < 1.0]
        return min(within, key=lambda step: step.share(goal), default=None)

    def runtimes(self, step: FirstStep) -> tuple[Support, ...]:
        """Which software makes use of such zeros, and where and when that was read."""
        return tuple(row for row in TABLE if row.pattern == step.pattern)

    def sentences(self) -> tuple[str, ...]:
        """What follows, each with its numbers: where the cost is, then one for each goal."""
        return (*self._where(), *(self._towards(goal) for goal in GOALS))

    def to_json(self) -> JsonDict:
        """One JSON-able object with everything that is said."""
        steps = [
            {
                "name": step.name,
                **asdict(step),
                "compute_share": step.compute_share,
                "runtimes": [r.to_json() for r in self.runtimes(step)],
            }
            for step in self.steps
        ]
        content = {
            "model": self.model,
            "data": self.data,
            "max_drop": self.max_drop,
            "judged": self.judged,
            "dense": asdict(self.dense),
            "dense_bytes": self.dense_bytes,
            "layers": [asdict(layer) for layer in self.layers],
            "whole_pass": None if self.times is None else asdict(self.times.whole),
            "between_layers": None if self.times is None else asdict(self.times.rest),
            "removable": [asdict(each) for each in self.removable],
            "steps": steps,
            "sentences": list(self.sentences()),
        }
        return dict(finite(content))

    def _in_brief(self) -> JsonDict:
        return {"model": self.model, "steps": len(self.steps), "sentences": self.sentences()}

    def _where(self) -> Iterator[str]:
        heavy = max(self.layers, key=lambda layer: layer.weights, default=None)
        if heavy is None:
            return
        busy = max(self.layers, key=lambda layer: layer.macs or 0)
        first = f"{heavy.name} holds {percent(heavy.weight_share)} of the parameters"
        if busy.mac_share is None:
            yield f"{first}."
        elif busy is heavy:
            yield f"{first} and makes {percent(busy.mac_share)} of the multiplications."
        else:
            own = f"{percent(heavy.mac_share or 0.0)} of the multiplications"
            yield f"{first} and makes {own}; {busy.name} makes {percent(busy.mac_share)}."
        if self.times is not None and self.times.whole.value > 0:
            share = max(0.0, self.times.rest.value) / self.times.whole.value
            yield (
                f"One pass takes {self.times.whole.value:.3g} ms here at batch {self.times.batch}, {percent(share)} of "
                "it outside the prunable layers (normalisation, activations, additions, Python)."
            )

    def _towards(self, goal: Goal) -> str:
        step, within = self.best(goal), allowed(self.max_drop, self.dense.unit)
        if step is not None:
            return f"{GOALS[goal]}: {step.name}. {self._reached(goal, step)}."
        able = sorted((s for s in self.steps if s.share(goal) < 1.0), key=lambda s: s.point.drop.value)
        if not able:
            return f"{GOALS[goal]}: none of the steps tried saves any."
        near, n = able[0], able[0].point.accuracy.n
        sure = "cannot be told from" if near.outcome == "cannot tell" else "is not within"
        return (
            f"{GOALS[goal]}: no step tried surely stays within {within} on {n} samples. The nearest, {near.name}, "
            f"{sure} that: {self._reached(goal, near)}."
        )

    def _reached(self, goal: Goal, step: FirstStep) -> str:
        drop = step.point.drop
        change = f"{named(self.judged)} {delta_text(drop)} ({delta_ends(drop)}, measured)"
        if goal == "size":
            sizes = f"{bytes_counted(step.point.size_bytes)} of {bytes_counted(self.dense_bytes)} (counted)"
            return f"{sizes}, {change}"
        ratio = times(step.point.theoretical_speedup)
        return f"{percent(step.compute_share)} of the multiplications ({ratio} fewer, counted), {change}"


def advise(
    model: LoadedModel | str,
    data: Dataset | str | None = None,
    *,
    max_drop: float = MAX_DROP,
    metric: Given | None = None,
    device: str = "cpu",
    progress: bool | None = None,
) -> Advice:
    """Whether pruning pays for this network, from a dozen first steps measured on the tune split.

    Counted are the weights, multiplications and files; measured are the accuracies (paired, with a 95 % interval) and
    the time of each layer. A step is recommended only where its whole interval lies within ``max_drop``.

    Args:
        model: A model or its address.
        data: None: what the model was made for.
        max_drop: The loss that is allowed, a fraction (0.01: one point), or in the unit of ``metric``.
        metric: As for :func:`explorer.evaluate`, in the place of accuracy.
        device: Where the passes run.
        progress: A bar; None: where somebody types.

    Returns:
        The advice: layers with their weights, multiplications and milliseconds at batch 1, the steps that were tried,
        and the best of them by size or time.

    Raises:
        ExplorerError: The model cannot run, or there is no tune split.

    Examples:
        >>> import explorer as ex
        >>> advice = ex.advise("digits-mlp", max_drop=0.05)
        >>> advice.best("size").point.asked >= 0.5
        True
    """
    loaded = given_model(model)
    dataset = given_data(data, loaded)
    evaluator = Evaluator(loaded, split_of(dataset, "tune"), device=device, asked=asked_for(metric=metric))
    specs = first_steps(loaded)
    points = measure(loaded, specs, dataset, evaluator=evaluator)
    tried = list(tracked(points, BarSteps("advise", len(specs)), progress))
    return advice_of(loaded, dataset, evaluator.dense(), tried, max_drop=max_drop)


def first_steps(model: LoadedModel) -> list[PruneSpec]:
    """What is tried: single weights globally, units at equal shares, and only what this network has."""
    specs = []
    for key, shares in _STEPS:
        spec = PruneSpec(GRANULARITIES.get(key))
        if _refusal(model, spec) is None:
            usual = Global if key == "weight" else Uniform
            specs += [replace(spec, allocation=usual(sparsity=share)) for share in shares]
    return specs


def advice_of(
    model: LoadedModel, data: Dataset, dense: Evaluation, points: Iterable[TradeOffPoint], *, max_drop: float
) -> Advice:
    """The advice that follows from ``points``, which were measured for :func:`first_steps`."""
    table = None if why_no_macs(model) else mac_table(model)
    modules = {_module(layer) for layer in layer_table(model).prunable}
    spent = None if model.example is None or model.module is None else layer_times(model, modules)
    dense_bytes = smallest_file(model, make_plan(model, PruneSpec()))
    steps = tuple(_step(model, point, max_drop, dense_bytes) for point in points)
    layers = tuple(_layers(model, table, spent))
    removable = tuple(_removable(model, table))
    judged = evaluated_by(dense.judged_by, dense.accuracy)
    about = (model.address, data.address, max_drop, judged, dense.accuracy, dense_bytes)
    return Advice(*about, layers, spent, removable, steps)


def _refusal(model: LoadedModel, spec: PruneSpec) -> Refusal | None:
    try:
        return why_no_units(score(model, spec))
    except ExplorerError as error:
        return Refusal.of(error)


def _module(layer: LayerInfo) -> str:
    """The path of the module that holds it: a recurrent layer has several matrices."""
    return layer.parameter.rpartition(".")[0] or layer.parameter


def _layers(model: LoadedModel, table: MacTable | None, spent: LayerTimes | None) -> Iterator[LayerCost]:
    by_module: dict[str, list[LayerInfo]] = {}
    for layer in layer_table(model).prunable:
        by_module.setdefault(_module(layer), []).append(layer)
    for name, held in by_module.items():
        n_weights = sum(layer.n_weights for layer in held)
        n_macs = None if table is None else sum(table.of(layer.parameter) for layer in held)
        share = None if table is None or n_macs is None or not table.dense else n_macs / table.dense
        time = None if spent is None else spent.layers.get(name)
        weight_share = n_weights / max(1, model.n_parameters)
        yield LayerCost(name, held[0].kind, n_weights, weight_share, n_macs, share, time)


def _removable(model: LoadedModel, table: MacTable | None) -> Iterator[RemovableUnits]:
    for granularity in map(GRANULARITIES.get, GRANULARITIES.members):
        spec = PruneSpec(granularity, allocation=Uniform(sparsity=1.0))
        refusal = _refusal(model, spec)
        plan = make_plan(model, spec) if refusal is None else None
        if plan is None or not plan.kept_shapes:
            why = str(refusal or granularity.why_no_removal)
            yield RemovableUnits(granularity.key, granularity.label, why_not=why)
            continue
        counts = parameters(model, plan)
        left = counts["kept"].value / counts["total"].value
        counted = {} if table is None else macs(model, plan, table)
        of_macs = counted["removed"].value / counted["dense"].value if "removed" in counted else None
        yield RemovableUnits(granularity.key, granularity.label, left, of_macs)


def _step(model: LoadedModel, point: TradeOffPoint, max_drop: float, dense_bytes: int) -> FirstStep:
    pattern, drop = pattern_of(make_plan(model, PruneSpec.from_json(point.spec))), point.drop
    low = drop.value if drop.low is None else drop.low
    high = drop.value if drop.high is None else drop.high
    outcome: Outcome = "within" if high <= max_drop else "beyond" if low > max_drop else "cannot tell"
    return FirstStep(point, pattern, outcome, point.size_bytes / max(1, dense_bytes))


def allowed(max_drop: float, unit: str) -> str:
    """The loss that is allowed, in words: "1 point", "0.1 nats"."""
    return points_spelled(max_drop) if unit == "fraction" else worse_by(max_drop, unit)


def words_of(pattern: Pattern, rows: Sequence[Support]) -> str:
    """Which runtime makes use of these zeros, in a sentence."""
    able = sorted({row.runtime for row in rows if row.faster in ("yes", "sometimes")})
    names, read = "; ".join(able) or "no runtime is known to be", max((row.as_of for row in rows), default="")
    return f"{PATTERNS[pattern].capitalize()} may be faster in: {names}" + (f" (as of {read})." if read else ".")
