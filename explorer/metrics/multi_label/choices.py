"""Several labels a sample, each there or not: how many are right. A label is chosen where its output is above 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.metrics.base import Best, Outputs
from explorer.metrics.interval import Interval, RatioOfSums, wilson
from explorer.metrics.multi_label.per_sample import PerSample


@dataclass(frozen=True)
class LabelAccuracy(PerSample):
    """The share of labels that are right, present or absent; a label is chosen where its output is above 0."""

    key: ClassVar[str] = "label_accuracy"
    label: ClassVar[str] = "accuracy of labels"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: the share of right labels of each sample."""
        return (outputs.logits > 0).eq(outputs.labels).double().mean(dim=1)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LabelAgreement(PerSample):
    """The share of labels on which pruned and dense model say the same; it needs no labels of the data."""

    key: ClassVar[str] = "label_agreement"
    label: ClassVar[str] = "agreement of labels"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: the share of equal labels of each sample."""
        return (outputs.logits > 0).eq(outputs.dense).double().mean(dim=1)


@dataclass(frozen=True)
class ExactMatch(PerSample):
    """The share of samples of which every label is right (subset accuracy). Its interval is Wilson's, 95 %."""

    key: ClassVar[str] = "exact_match"
    label: ClassVar[str] = "exact match of all labels"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: 1 where all labels are right."""
        return (outputs.logits > 0).eq(outputs.labels).all(dim=1).double()  # type: ignore[arg-type]

    def interval(self, values: Tensor) -> Interval | None:
        """Wilson's interval of the share of ones."""
        return wilson(int(values.sum()), len(values))


@dataclass(frozen=True)
class LabelF1(RatioOfSums, PerSample):
    """Micro-averaged F1: 2 TP / (2 TP + FP + FN) over all labels of all samples; what is rightly absent counts not.

    The 95 % interval is that of a ratio of sums over samples.
    """

    key: ClassVar[str] = "label_f1"
    label: ClassVar[str] = "F1 of labels (micro)"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: 2 TP, and 2 TP + FP + FN of each sample."""
        chosen, labels = outputs.logits > 0, outputs.labels.bool()  # type: ignore[union-attr]
        twice = 2.0 * (chosen & labels).double().sum(dim=1)
        return torch.stack([twice, twice + (chosen ^ labels).double().sum(dim=1)], dim=1)
