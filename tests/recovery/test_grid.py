"""The grid of pruning and quantization measures what plain calls measure, and its advice says what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
import torch

from explorer import data, models
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.sizes import file_sizes
from explorer.metrics.latency import Latency
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import GridChoices, GridPoint, Working, grid, n_points, pareto
from explorer.recovery.order import MeasuredOrder, advice, difference, orders, recipes
from explorer.recovery.quantization import measured
from explorer.recovery.quantized_size import smallest
from explorer.recovery.steps import Finetune
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, TradeOffPoint

SPEC = PruneSpec("weight", "lp_norm", "global")
QUICK = Finetune(epochs=1)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return models.load("digits-mlp")


@pytest.fixture(scope="module")
def digits(model: LoadedModel) -> Dataset:
    return data.load("digits", model=model)


@pytest.fixture(scope="module")
def evaluator(model: LoadedModel, digits: Dataset) -> Evaluator:
    return Evaluator(model, digits.splits["tune"])


def points(told: Iterable[GridPoint | Working]) -> list[GridPoint]:
    return [p for p in told if isinstance(p, GridPoint)]


def test_every_point_is_what_a_plain_measurement_gives(
    model: LoadedModel, digits: Dataset, evaluator: Evaluator
) -> None:
    found = points(grid(model, SPEC, digits, GridChoices(shares=(0.0, 0.8), bits=4), evaluator=evaluator))
    assert [(p.asked, p.form, p.bits) for p in found] == [
        (0.0, "float32", 32), (0.0, "int8", 4), (0.8, "float32", 32), (0.8, "int8", 4),
    ]  # fmt: skip
    plan = make_plan(model, PruneSpec("weight", "lp_norm", "global:sparsity=0.8"))
    plain, rounded = evaluator.final(plan), measured(evaluator, plan, 4)
    assert [p.accuracy for p in found[2:]] == [plain.accuracy, rounded.accuracy]
    assert found[3].drop == rounded.drop
    assert found[2].size is not None
    assert found[2].size.value == min(m.value for m in file_sizes(model, plan).values())
    assert found[3].size == smallest(model, plan, 4)
    assert found[0].accuracy == evaluator.dense().accuracy


@dataclass(frozen=True)
class Made:
    """What a runtime might give."""

    size: Measurement
    evaluation: Evaluation
    latency: Latency | None = None
    notes: tuple[str, ...] = ("told",)


def test_a_runtime_is_asked_for_its_forms_and_a_refusal_becomes_a_point_without_numbers(
    model: LoadedModel, digits: Dataset, evaluator: Evaluator
) -> None:
    def runtime(pruned: LoadedModel, plan: Plan, how: str) -> Made:
        if how == "static":
            raise ExplorerError("No.", why="It has none.")
        return Made(Measurement("onnx", 123, "bytes", "measured"), evaluator.final(plan))

    forms = ("dynamic", "static")
    found = points(
        grid(model, SPEC, digits, GridChoices(shares=(0.5,), forms=forms), runtime=runtime, evaluator=evaluator)
    )

    assert (found[0].size and found[0].size.value, found[0].notes) == (123, ("told",))
    assert (found[1].why_not, found[1].size, found[1].point) == ("It has none.", None, None)
    without = points(grid(model, SPEC, digits, GridChoices(shares=(0.5,), forms=("static",)), evaluator=evaluator))
    assert without[0].why_not == "No runtime was given."


def test_recovery_trains_first_and_keeps_the_masks(model: LoadedModel, digits: Dataset, evaluator: Evaluator) -> None:
    told = list(
        grid(
            model,
            SPEC,
            digits,
            GridChoices((0.8,), recoveries=("none", "finetune", "distil"), training=QUICK),
            evaluator=evaluator,
        )
    )
    found = points(told)
    assert len(found) == n_points((0.8,), ("float32", "int8"), ("none", "finetune", "distil")) == 6
    assert all(isinstance(t, Working) == (not t.complete) for t in told)
    assert len({p.sparsity for p in found}) == 1
    assert [p.recovery for p in found] == ["none"] * 2 + ["finetune"] * 2 + ["distil"] * 2
    pruned, tuned = found[1], found[3]
    assert pruned.accuracy is not None
    assert tuned.accuracy is not None
    assert tuned.accuracy.value > pruned.accuracy.value
    assert tuned.size == pruned.size
    assert [p.point.protocol["recovery"]["distil_weight"] > 0 for p in found[2:] if p.point is not None] == [
        False,
        False,
        True,
        True,
    ]


def test_a_kept_point_says_how_it_came_to_be(model: LoadedModel, digits: Dataset, evaluator: Evaluator) -> None:
    plain, rounded = points(grid(model, SPEC, digits, GridChoices(shares=(0.5,)), evaluator=evaluator))
    one, other = plain.point, rounded.point
    assert one is not None
    assert other is not None
    assert (dict(one.protocol), dict(other.protocol)) == ({}, {"quantized": {"form": "int8", "bits": 8}})
    assert one.plan_digest == other.plan_digest == make_plan(model, PruneSpec.from_json(one.spec)).digest
    assert other.size_bytes < one.size_bytes
    assert other.label == "weight, lp_norm, global · int8"


def made(size: int, accuracy: float) -> GridPoint:
    blank = Measurement("a", accuracy, "fraction", "measured")
    point = TradeOffPoint({}, "", 0.0, 0.0, 1.0, 1.0, size, blank, blank)
    return GridPoint(0.0, 0.0, "int8", 8, size=replace(blank, value=size), point=point)


def test_the_front_holds_what_nothing_beats() -> None:
    small, beaten, large, tie = made(10, 0.5), made(20, 0.4), made(30, 0.9), made(40, 0.9)
    nothing = GridPoint(0.0, 0.0, "static", 8, why_not="No.")
    assert pareto([tie, beaten, nothing, large, small]) == (large, small)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"shares": (1.5,)}, "A sparsity of 1.5 is not possible"),
        ({"bits": 16}, "2 to 8 bits"),
        ({"forms": ("int4",)}, "There is no 'int4'"),
        ({"recoveries": ("sleep",)}, "none, finetune, distil"),
        ({"shares": ()}, "at least one share"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    model: LoadedModel, digits: Dataset, wrong: dict[str, tuple[float, ...]], said: str
) -> None:
    with pytest.raises(ExplorerError, match=said):
        grid(model, SPEC, digits, GridChoices(**wrong))  # type: ignore[arg-type]


def test_three_orders_are_measured_and_the_advice_gives_their_accuracies(
    model: LoadedModel, digits: Dataset, evaluator: Evaluator
) -> None:
    spec = PruneSpec("weight", "lp_norm", "global:sparsity=0.8")
    found = [
        t for t in orders(model, spec, digits, training=QUICK, evaluator=evaluator) if isinstance(t, MeasuredOrder)
    ]
    assert [t.words for t in found] == ["prune, quantize", "quantize, prune", "prune, tune, quantize"]
    assert found[0].evaluation.accuracy == measured(evaluator, make_plan(model, spec)).accuracy
    said = advice(found, evaluator, share=0.8)
    assert all(f"{t.words} {100 * t.evaluation.accuracy.value:.1f}%" in said for t in found)
    assert "measured on the same 450 samples" in said
    assert advice(found[:2], evaluator, share=0.8) == ""


def judged(evaluator: Evaluator, order: tuple[str, ...], n_right: int) -> MeasuredOrder:
    """An order that gets the first ``n_right`` samples right."""
    labels = evaluator.split.y
    assert labels is not None
    predictions = torch.where(torch.arange(len(labels)) < n_right, labels, (labels + 1) % 10)
    return MeasuredOrder(order, replace(evaluator.dense(), predictions=predictions), recipes(SPEC)[0])


@pytest.mark.parametrize(
    ("n_right", "words"),
    [
        ((400, 300, 440), ("Pruning before quantizing was better by 22.2 points", "gained 8.9 points")),
        ((300, 400, 290), ("Quantizing before pruning was better by 22.2 points", "Tuning in between cost 2.2 points")),
        ((400, 401, 402), ("no difference beyond chance", "changed nothing beyond chance")),
    ],
)
def test_the_advice_calls_nothing_better_that_may_be_chance(
    evaluator: Evaluator, n_right: tuple[int, ...], words: tuple[str, str]
) -> None:
    names = (("prune", "quantize"), ("quantize", "prune"), ("prune", "tune", "quantize"))
    tried = [judged(evaluator, order, n) for order, n in zip(names, n_right, strict=True)]
    said = advice(tried, evaluator, share=0.8)
    assert all(part in said for part in words)
    assert difference(tried[0], tried[1], evaluator).value == pytest.approx((n_right[0] - n_right[1]) / 450)


def test_orders_judged_by_something_else_than_classes_are_told_without_a_winner(evaluator: Evaluator) -> None:
    names = (("prune", "quantize"), ("quantize", "prune"), ("prune", "tune", "quantize"))
    tried = [judged(evaluator, order, 400) for order in names]
    numbers = [replace(t, evaluation=replace(t.evaluation, predictions=torch.zeros(450, 2))) for t in tried]
    assert advice(numbers, evaluator, share=0.8).endswith("so none of them is called better.")
