"""Prune first or quantize first: the same network in each order, measured on the same samples, and one sentence."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.metrics.accuracy import drop
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import Working
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import measured_module
from explorer.recovery.steps import Finetune, Prune, Quantize
from explorer.text.numbers import level, percent_asked, points_apart
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement

_WHY = ", since training moves weights off the grid"
_WORDS = {"prune": "prune", "finetune": "tune", "quantize": "quantize"}


@dataclass(frozen=True, eq=False)
class MeasuredOrder:
    """One order with what it came to: ``order`` such as ("prune", "tune", "quantize")."""

    order: tuple[str, ...]
    evaluation: Evaluation
    recipe: Recipe
    complete: bool = field(default=True, compare=False)

    @property
    def words(self) -> str:
        """ "prune, tune, quantize"."""
        return ", ".join(self.order)


def recipes(spec: PruneSpec, bits: int = 8, training: Finetune | None = None) -> tuple[Recipe, ...]:
    """The orders that are compared: prune, quantize; quantize, prune; prune, tune, quantize."""
    prune, quantize = Prune(spec), Quantize(bits)
    tune = training or Finetune(epochs=10)
    return (Recipe((prune, quantize)), Recipe((quantize, prune)), Recipe((prune, tune, quantize)))


def orders(
    model: LoadedModel,
    spec: PruneSpec,
    data: Dataset,
    *,
    bits: int = 8,
    training: Finetune | None = None,
    evaluator: Evaluator | None = None,
) -> Iterator[MeasuredOrder | Working]:
    """Measure each order at the sparsity of ``spec``, one after another, on the tune split.

    Raises ExplorerError where the network cannot be trained on ``data``.
    """
    judge = evaluator or Evaluator(model, split_of(data, "tune"))
    for recipe in recipes(spec, bits, training):
        yield (yield from _tried(model, recipe, data, judge))


def _tried(
    model: LoadedModel, recipe: Recipe, data: Dataset, judge: Evaluator
) -> Generator[Working, None, MeasuredOrder]:
    order = tuple(_WORDS[step.key] for step in recipe.steps)
    for progress in recover(model, recipe, data, evaluator=judge, device=judge.device):
        if progress.recovered is not None and progress.recovered.model.module is not None:
            return MeasuredOrder(order, measured_module(progress.recovered.model.module, judge), recipe)
        if progress.epoch:
            yield Working(f"{', '.join(order)}: epoch {progress.epoch} of {progress.n_epochs}")
    raise RuntimeError("a recipe ends with what it came to")


def difference(one: MeasuredOrder, other: MeasuredOrder, evaluator: Evaluator) -> Measurement:
    """Accuracy of ``one`` minus that of ``other`` on the same samples, with its paired 95 % interval; classes only."""
    right = [_right(tried.evaluation, evaluator) for tried in (one, other)]
    return drop(right[0], right[1], batch_size=evaluator.batch_size)


def advice(tried: Sequence[MeasuredOrder], evaluator: Evaluator, *, share: float, bits: int = 8) -> str:
    """What was measured, and what follows from it for this model and these samples, in two or three sentences.

    Of two orders whose difference may be chance, neither is called better. Empty until all three are there.
    """
    by_order = {t.order: t for t in tried}
    first, last = by_order.get(("prune", "quantize")), by_order.get(("quantize", "prune"))
    tuned = by_order.get(("prune", "tune", "quantize"))
    if first is None or last is None or tuned is None:
        return ""
    accuracies = "; ".join(f"{t.words} {level(t.evaluation.accuracy)}" for t in (first, last, tuned))
    where = (
        f"At {percent_asked(share)} and {bits} bits, measured on the same {first.evaluation.n:,} samples: {accuracies}."
    )
    if not first.evaluation.chooses_classes or first.evaluation.judged_by == "metric":
        return f"{where} There is no paired interval for such a measure, so none of them is called better."
    best, dense = max(t.evaluation.accuracy.value for t in (first, last)), evaluator.dense().accuracy.value
    between = _which_first(difference(first, last, evaluator), lost=best < dense / 2)
    return f"{where} {between} {_about_tuning(tuned, first, evaluator)}"


def _which_first(between: Measurement, *, lost: bool) -> str:
    if not _settled(between):
        sentence = "Which of the two comes first made no difference beyond chance"
        return f"{sentence}, but both lost most of the accuracy: a lower share says more." if lost else f"{sentence}."
    better = ("Pruning", "quantizing") if between.value > 0 else ("Quantizing", "pruning")
    return f"{better[0]} before {better[1]} was better by {_points(between)}."


def _about_tuning(tuned: MeasuredOrder, untuned: MeasuredOrder, evaluator: Evaluator) -> str:
    gain = difference(tuned, untuned, evaluator)
    if not _settled(gain):
        return f"Tuning in between changed nothing beyond chance; who tunes, quantizes after it{_WHY}."
    if gain.value < 0:
        return f"Tuning in between cost {_points(gain)} here: leave it out, or train longer."
    return f"Tuning in between gained {_points(gain)}: prune, tune, then quantize{_WHY}."


def _settled(m: Measurement) -> bool:
    return m.low is not None and m.high is not None and not m.low <= 0 <= m.high


def _points(m: Measurement) -> str:
    low, high = (points_apart(end).removesuffix(" points") for end in sorted((abs(m.low or 0), abs(m.high or 0))))
    return f"{points_apart(m.value)} ({low} to {high})"


def _right(evaluation: Evaluation, evaluator: Evaluator) -> Tensor:
    labels = evaluator.split.y
    expected = evaluation.dense_predictions if labels is None else labels
    return evaluation.predictions == expected
