"""Pruning and quantization together: every share pruned, in every number format, as measured points."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Protocol, get_args

from explorer.analysis.pareto import unbeaten
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.metrics.base import goodness
from explorer.metrics.latency import Latency
from explorer.metrics.macs import mac_table, theoretical_speedup, why_no_macs
from explorer.metrics.size import compression_ratio
from explorer.params import member_to_json
from explorer.pruning.apply import masked
from explorer.pruning.level import with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantization import check_bits, quantized_plan
from explorer.recovery.quantized_size import smallest
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import measured_module
from explorer.recovery.steps import Finetune, Prune
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, TradeOffPoint
from explorer.types.aliases import JsonDict, JsonObject

Form = Literal["float32", "int8", "dynamic", "static"]
"""float32; int8 simulated (weights alone); int8 by ONNX Runtime, ranges found anew or fixed beforehand."""
FORMS: tuple[Form, ...] = get_args(Form)
RecoveryKind = Literal["none", "finetune", "distil"]
RECOVERIES: tuple[RecoveryKind, ...] = get_args(RecoveryKind)
SHARES = (0.0, 0.5, 0.8, 0.9)
_TEACHING = 0.7


class RuntimeResult(Protocol):
    """What a runtime made of a pruned network: the bytes of its file, its accuracy, perhaps its time against float."""

    @property
    def size(self) -> Measurement:
        """Bytes of the real file."""
        ...

    @property
    def evaluation(self) -> Evaluation:
        """Against the dense model, on the evaluator's samples."""
        ...

    @property
    def latency(self) -> Latency | None:
        """The float file (as dense) and this one (as pruned) in turns; None where it was not timed."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence each."""
        ...


Runtime = Callable[[LoadedModel, Plan, Literal["dynamic", "static"]], RuntimeResult]
"""Exports, quantizes and measures (``export.onnx_int8.Int8Runtime``); ExplorerError where there is no such form."""


@dataclass(frozen=True)
class GridPoint:
    """One network of the grid. ``asked`` and ``sparsity`` are shares of the prunable weights.

    ``point`` is what was measured, with its whole protocol; its drop is against the dense float model on the same
    samples. ``size`` is counted where no such file was written (the smallest kind of file), else the bytes of the real
    file. ``why_not`` says why a form does not exist; then nothing is measured, and both are None.
    """

    asked: float
    sparsity: float
    form: Form
    bits: int
    recovery: RecoveryKind = "none"
    point: TradeOffPoint | None = None
    size: Measurement | None = None
    latency: Latency | None = None
    notes: tuple[str, ...] = ()
    why_not: str = ""
    complete: bool = field(default=True, compare=False)

    @property
    def accuracy(self) -> Measurement | None:
        """Of the network in this form, on the tune split; None where nothing was measured."""
        return None if self.point is None else self.point.accuracy

    @property
    def drop(self) -> Measurement | None:
        """Against the dense float model; None where nothing was measured."""
        return None if self.point is None else self.point.drop

    @property
    def number_format(self) -> str:
        """The form with the width it has here: "int4" where simulated whole numbers have four bits."""
        return f"int{self.bits}" if self.form == "int8" else self.form

    def to_json(self) -> JsonDict:
        """One flat object: the parts of the point beside what the form adds to them."""
        measured = {} if self.point is None else asdict(self.point)
        own = {name: value for name, value in asdict(self).items() if name not in ("point", "complete")}
        empty = {"accuracy": None, "drop": None}
        return {**empty, **measured, **own, "latency": None if self.latency is None else self.latency.to_json()}


@dataclass(frozen=True)
class Working:
    """A sign of life between two points: what is being done. Never the last result."""

    what: str
    complete: bool = False


@dataclass(frozen=True)
class GridChoices:
    """What a grid crosses: the shares that go, the recoveries after it, and the forms that are measured.

    ``bits`` are those of simulated integers. ``training`` is the fine-tuning; ``distil`` is the same with the dense
    model as teacher.
    """

    shares: Sequence[float] = SHARES
    forms: Sequence[Form] = ("float32", "int8")
    bits: int = 8
    recoveries: Sequence[RecoveryKind] = ("none",)
    training: Finetune = field(default_factory=lambda: Finetune(epochs=10))


def grid(
    model: LoadedModel,
    spec: PruneSpec,
    data: Dataset,
    choices: GridChoices,
    *,
    runtime: Runtime | None = None,
    evaluator: Evaluator | None = None,
) -> Iterator[GridPoint | Working]:
    """Prune to each share, recover, and measure each form on the tune split, point after point.

    ``spec`` gives everything but the share. ``runtime`` is needed for the forms dynamic and static, and says so where
    it has none. Raises ExplorerError for shares, bits or forms that do not exist.
    """
    _check(choices.shares, choices.forms, choices.bits, choices.recoveries)
    judge = evaluator or Evaluator(model, split_of(data, "tune"))
    return _points(model, spec, data, choices, runtime, judge)


def n_points(shares: Sequence[float], forms: Sequence[Form], recoveries: Sequence[RecoveryKind] = ("none",)) -> int:
    """How many points a grid has."""
    return len(shares) * len(forms) * len(recoveries)


def pareto(points: Iterable[GridPoint]) -> tuple[GridPoint, ...]:
    """The points that no other beats in both size and accuracy, from the largest to the smallest."""
    measured = [point for point in points if point.point is not None and point.size is not None]
    return tuple(unbeaten(measured, lambda p: -_value(p.size), _goodness))


def _goodness(point: GridPoint) -> float:
    return math.nan if point.accuracy is None or point.drop is None else goodness(point.accuracy, point.drop)


def _value(measurement: Measurement | None) -> float:
    return measurement.value if measurement is not None else float("nan")


def trained_with(training: Finetune, recovery: RecoveryKind) -> Finetune:
    """The fine-tuning of a recovery; ``distil`` has the dense model as a teacher as well."""
    return replace(training, distil_weight=_TEACHING if recovery == "distil" else 0.0)


def _points(
    model: LoadedModel,
    spec: PruneSpec,
    data: Dataset,
    choices: GridChoices,
    runtime: Runtime | None,
    evaluator: Evaluator,
) -> Iterator[GridPoint | Working]:
    table = None if why_no_macs(model) else mac_table(model)
    for recovery in choices.recoveries:
        for share in choices.shares:
            request = with_sparsity(spec, share)
            if recovery == "none":
                recovered, plan = model, make_plan(model, request, data=data)
            else:
                recovered, plan = yield from _recovered(
                    model, request, data, trained_with(choices.training, recovery), evaluator
                )
            speedup = theoretical_speedup(model, plan, table)
            costs = (compression_ratio(recovered, plan).value, speedup.value if speedup else 1.0)
            blank = GridPoint(share, plan.sparsity, choices.forms[0], choices.bits, recovery)
            for form in choices.forms:
                protocol = _protocol(form, choices, recovery)
                at = replace(blank, form=form)
                yield _Cell(model, recovered, request, plan, costs, protocol, evaluator, at).filled(runtime)


def _protocol(form: Form, choices: GridChoices, recovery: RecoveryKind) -> JsonDict:
    """What was done beside pruning; empty when nothing was."""
    rounded = {"form": form, "bits": choices.bits if form == "int8" else 8}
    return {
        **({"recovery": member_to_json(trained_with(choices.training, recovery))} if recovery != "none" else {}),
        **({"quantized": rounded} if form != "float32" else {}),
    }


def _recovered(
    model: LoadedModel, request: PruneSpec, data: Dataset, training: Finetune, evaluator: Evaluator
) -> Generator[Working, None, tuple[LoadedModel, Plan]]:
    recipe = Recipe((Prune(request), training))
    for progress in recover(model, recipe, data, evaluator=evaluator, device=evaluator.device):
        if progress.recovered is not None:
            plan = progress.recovered.plan
            return progress.recovered.model, plan if plan is not None else make_plan(model, request, data=data)
        if progress.epoch:
            yield Working(f"training: epoch {progress.epoch} of {progress.n_epochs}")
    raise RuntimeError("a recipe ends with what it came to")


@dataclass(frozen=True, eq=False)
class _Cell:
    """One network in one form; ``at`` says which, ``costs`` are its compression ratio and theoretical speedup."""

    dense: LoadedModel
    model: LoadedModel
    request: PruneSpec
    plan: Plan
    costs: tuple[float, float]
    protocol: JsonObject
    evaluator: Evaluator
    at: GridPoint

    def filled(self, runtime: Runtime | None) -> GridPoint:
        form, bits = self.at.form, self.at.bits
        if form == "float32":
            size = min(file_sizes(self.model, self.plan).values(), key=lambda m: m.value)
            return self._with(self._evaluation(self.plan), size=size, bits=32)
        if form == "int8":
            evaluation = self._evaluation(quantized_plan(self.model, self.plan, bits))
            return self._with(evaluation, size=smallest(self.model, self.plan, bits), bits=bits)
        if runtime is None:
            return replace(self.at, bits=8, why_not="No runtime was given.")
        try:
            result = runtime(self.model, self.plan, form)
        except ExplorerError as error:
            return replace(self.at, bits=8, why_not=error.why or error.what)
        point = self._with(result.evaluation, size=result.size, bits=8)
        return replace(point, latency=result.latency, notes=result.notes)

    def _with(self, evaluation: Evaluation, *, size: Measurement, bits: int) -> GridPoint:
        spec, ratio, speedup = self.request.to_json(), *self.costs
        choices = (spec[name]["key"] for name in ("granularity", "criterion", "allocation"))
        recovered = [self.at.recovery] if self.at.recovery != "none" else []
        point = TradeOffPoint(
            spec=spec,
            label=" · ".join([", ".join(choices), *recovered, self.at.form]),
            asked=self.at.asked,
            sparsity=self.at.sparsity,
            compression_ratio=ratio,
            theoretical_speedup=speedup,
            size_bytes=int(size.value),
            accuracy=evaluation.accuracy,
            drop=evaluation.drop,
            loss=evaluation.loss,
            plan_digest=self.plan.digest,
            protocol=self.protocol,
            metrics=evaluation.metrics,
        )
        return replace(self.at, size=size, bits=bits, point=point)

    def _evaluation(self, plan: Plan) -> Evaluation:
        if self.model is self.dense:
            return self.evaluator.final(plan)
        return measured_module(masked(self.model, plan).module, self.evaluator)


def _check(
    shares: Sequence[float],
    forms: Sequence[Form],
    bits: int,
    recoveries: Sequence[RecoveryKind],
) -> None:
    check_bits(bits)
    for share in shares:
        if not 0.0 <= share <= 1.0:
            raise ExplorerError(f"A sparsity of {share:g} is not possible.", fix="Give shares from 0 to 1.")
    for name, members in [*((f, FORMS) for f in forms), *((h, RECOVERIES) for h in recoveries)]:
        if name not in members:
            raise ExplorerError(f"There is no {name!r} in this grid.", fix=f"Choose from: {', '.join(members)}.")
    if not shares or not forms or not recoveries:
        raise ExplorerError("A grid without a point shows nothing.", fix="Give at least one share and one form.")
