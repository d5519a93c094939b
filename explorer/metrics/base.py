"""What every metric offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from explorer.errors import Refusal
from explorer.metrics.interval import Interval, normal_mean, wilson
from explorer.metrics.origin import machine, today
from explorer.types import JudgedBy, Measurement, Task
from explorer.types.results import FIRST_NAMES as FIRST_NAMES
from explorer.types.results import Best as Best

JUDGED_NAMES: Mapping[JudgedBy, str] = {
    "labels": "accuracy",
    "agreement": "agreement with the dense model",
    "tokens": "accuracy of tokens",
    "numbers": "R2",
    "several": "accuracy of labels",
    "metric": "the chosen metric",
}


MOST_SCORES = 1000  # classes whose scores the dense model's result holds: 4 kB a sample


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a model gave for n samples, with what it is compared to.

    Classes: ``logits`` (n, classes) float, ``labels`` (n,) int64 or None, ``dense`` (n,) int64, the
    classes that the dense model predicts for the same samples. Numbers: ``logits`` and
    ``labels`` (n, ...) float. Tokens: ``logits`` (n, length, vocabulary), ``labels`` (n, length)
    int64, negative where there is nothing to predict. Labels: ``logits`` (n, k), ``labels`` and ``dense`` (n, k) bool.
    ``dense`` counts for classes and labels only. ``dense_scores`` are the dense model's outputs (n, classes), for
    classes up to :data:`MOST_SCORES`.
    """

    logits: Tensor
    labels: Tensor | None
    dense: Tensor
    dense_scores: Tensor | None = None


@runtime_checkable
class Metric(Protocol):
    """Each sample gives its numbers, all of them together a value with an interval.

    ``task`` says what the outputs are: classes, labels, numbers or tokens. ``label`` is its name inside a sentence.
    ``best`` says which way is better: the highest value, the lowest one, or the one nearest to zero.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    best: ClassVar[Best]
    unit: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    task: ClassVar[Task]

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64, or (n, k) where one number a sample is not enough."""
        ...

    def total(self, values: Tensor) -> float:
        """The value that all samples' numbers make; NaN without samples."""
        ...

    def interval(self, values: Tensor) -> Interval | None:
        """The 95 % interval of that value, or None where there is none."""
        ...

    def why_not(self, n_classes: int | None) -> Refusal | None:
        """Why it says nothing about a model with so many classes (None: not known), or None."""
        ...


class Unconditional:
    """What metrics have in common that suit every model of their task."""

    def why_not(self, n_classes: int | None) -> Refusal | None:
        """Nothing stands against it."""
        return None


class MeanOfSamples(Unconditional):
    """What metrics have in common that are a mean over samples; the 95 % interval is the normal approximation."""

    def total(self, values: Tensor) -> float:
        """The mean of (n,) values; NaN without samples."""
        return float(values.double().mean()) if len(values) else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The interval of the mean; None for fewer than two samples."""
        return normal_mean(values)


class Mean(MeanOfSamples):
    """What metrics have in common whose value is a mean over samples that are told apart by class."""

    task: ClassVar[Task] = "classes"


class Share(Mean):
    """What metrics have in common that are a share of samples: each is 1 or 0, and the interval is Wilson's."""

    unit: ClassVar[str] = "fraction"

    def interval(self, values: Tensor) -> Interval | None:
        """Wilson's interval of the share of ones."""
        return wilson(int(values.sum()), len(values))


_OUTPUTS: dict[Task, str] = {
    "classes": "It is for models that choose among classes.",
    "labels": "It is for models that give each sample several labels.",
    "numbers": "It is for models that predict numbers.",
    "tokens": "It is for language models, which predict the next token.",
    "mask": "It is for models that give each place of a picture a class.",
    "embedding": "It is for models whose output is a vector that stands for the input.",
}


def why_not(metric: Metric, *, labels: bool, task: Task = "classes", n_classes: int | None = None) -> Refusal | None:
    """Why a metric does not apply to a model and its data, in a sentence, or None."""
    if metric.task != task:
        return Refusal(_OUTPUTS[metric.task])
    if "labels" in metric.needs and not labels:
        return Refusal("The data has no labels.")
    return metric.why_not(n_classes)


def measure(
    metric: Metric, values: Tensor, *, batch_size: int, device: str = "cpu", quickly: bool = False
) -> Measurement:
    """The measurement made of the samples' numbers, as :meth:`Metric.per_sample` gives them.

    ``quickly``: without an interval where that takes long.
    """
    value = metric.total(values)
    interval = None if quickly and getattr(metric, "slow", False) else metric.interval(values)
    return Measurement(
        name=metric.key,
        value=value,
        unit=metric.unit,
        origin="measured",
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=len(values),
        batch_size=batch_size,
        machine=machine(device),
        date=today(),
        note=getattr(metric, "note", "") if math.isfinite(value) else "The model gives numbers that are not finite.",
        best=metric.best,
    )


def evaluated_by(judged_by: JudgedBy, first: Measurement) -> str:
    """What a model was evaluated by, in words: "accuracy", "R2", or the name of the metric that was chosen."""
    return first.name.replace("_", " ") if judged_by == "metric" else JUDGED_NAMES[judged_by]


def dense_value(first: Measurement, drop: Measurement) -> float:
    """What the dense model has on the same samples, as it follows from what the pruned one has and how much worse."""
    if drop.best in (None, "highest"):
        return first.value + drop.value
    return (abs(first.value) if drop.best == "zero" else first.value) - drop.value


def goodness(first: Measurement, drop: Measurement) -> float:
    """How good a model is, higher is better: its accuracy, or minus how much worse a metric is that should be low."""
    return first.value if first.best in (None, "highest") else -drop.value
