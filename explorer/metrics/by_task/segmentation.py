"""Masks: a class for each place of a picture. A place that is negative, or 255 where that is no class, counts not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import Interval, RatioOfSums, jackknife
from explorer.types import Task

VOID = 255
"""What places are called that belong to no class, where there are not so many classes."""


def counted(labels: Tensor, n_classes: int) -> Tensor:
    """(n, ...) bool: the places that have a class."""
    return (labels >= 0) & ~((labels == VOID) & (n_classes <= VOID))


def _sums(values: Tensor, places: Tensor) -> Tensor:
    """(n, ...) values and the places that count -> (n, 2) float64, each picture's two sums."""
    return torch.stack([values.double().flatten(1).sum(1), places.double().flatten(1).sum(1)], dim=1)


class PerPlace(RatioOfSums, Unconditional):
    """What metrics have in common whose value is a sum over places; the 95 % interval takes pictures as the sample."""

    task: ClassVar[Task] = "mask"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})


@dataclass(frozen=True)
class PixelAccuracy(PerPlace):
    """The share of places whose highest output is the right class."""

    key: ClassVar[str] = "pixel_accuracy"
    label: ClassVar[str] = "accuracy of places"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a picture's right places, and how many of its places have a class."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        places = counted(labels, outputs.logits.shape[1])
        right = outputs.logits.argmax(dim=1).eq(labels) & places
        return _sums(right, places)


@dataclass(frozen=True)
class PixelAgreement(PerPlace):
    """The share of places for which pruned and dense model choose the same class; it needs no labels."""

    key: ClassVar[str] = "pixel_agreement"
    label: ClassVar[str] = "agreement of places"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset()

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a picture's equal choices, and its places."""
        same = outputs.logits.argmax(dim=1).eq(outputs.dense).flatten(1)
        n = torch.full((len(same),), float(same.shape[1]), dtype=torch.float64)
        return torch.stack([same.double().sum(dim=1), n], dim=1)


@dataclass(frozen=True)
class PixelLoss(PerPlace):
    """Mean cross-entropy of a place, in nats; 0 is perfect."""

    key: ClassVar[str] = "pixel_loss"
    label: ClassVar[str] = "loss of a place"
    best: ClassVar[Best] = "lowest"
    unit: ClassVar[str] = "nats"

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2) float64: a picture's summed cross-entropy, and how many of its places have a class."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        places = counted(labels, outputs.logits.shape[1])
        nats = functional.cross_entropy(outputs.logits.double(), labels.masked_fill(~places, 0), reduction="none")
        return _sums(nats * places, places)


@dataclass(frozen=True)
class MeanIoU(Unconditional):
    """Intersection over union of each class over all places of all pictures, averaged over the classes that occur.

    A class that neither labels nor predictions show is left out. The 95 % interval is a jackknife over pictures.

    Source: Everingham et al. 2015, doi:10.1007/s11263-014-0733-5 (section 3.2.3).
    """

    key: ClassVar[str] = "mean_iou"
    label: ClassVar[str] = "mean IoU"
    best: ClassVar[Best] = "highest"
    unit: ClassVar[str] = "fraction"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})
    task: ClassVar[Task] = "mask"
    slow: ClassVar[bool] = True

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, 2 * classes) float64: places of each class in both, then in either."""
        labels: Tensor = outputs.labels  # type: ignore[assignment]
        n_classes = outputs.logits.shape[1]
        places, chosen = counted(labels, n_classes), outputs.logits.argmax(dim=1)
        rows = []
        for label, choice, has_class in zip(labels, chosen, places, strict=True):
            pairs = label[has_class] * n_classes + choice[has_class]
            confusion = torch.bincount(pairs, minlength=n_classes**2).view(n_classes, n_classes).double()
            both = confusion.diagonal()
            rows.append(torch.cat([both, confusion.sum(0) + confusion.sum(1) - both]))
        return torch.stack(rows) if rows else torch.zeros(0, 2 * n_classes, dtype=torch.float64)

    def total(self, values: Tensor) -> float:
        """The mean over the classes that occur; NaN where none does."""
        both, either = values.sum(dim=0).chunk(2)
        occurs = either > 0
        return float((both[occurs] / either[occurs]).mean()) if bool(occurs.any()) else math.nan

    def interval(self, values: Tensor) -> Interval | None:
        """The jackknife's interval; None for fewer than two pictures."""
        return jackknife(self.total, values)
