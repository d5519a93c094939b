"""Right answers class by class, from predictions that are there already."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.metrics.interval import wilson
from explorer.types import Measurement


@dataclass(frozen=True)
class ClassCount:
    """One class: how many samples it has, how many of them are right, how often it was chosen at all."""

    index: int
    n: int
    n_right: int
    n_chosen: int

    @property
    def recall(self) -> Measurement:
        """The share of the class's samples that are right, with Wilson's 95 % interval; NaN without samples."""
        value = self.n_right / self.n if self.n else float("nan")
        return Measurement("recall", value, "fraction", "measured", *wilson(self.n_right, self.n), n=self.n)

    def to_json(self) -> dict[str, float | int | None]:
        """A JSON-able object; ``recall`` is None without samples."""
        recall = self.recall
        whole = {"n": self.n, "n_right": self.n_right, "n_chosen": self.n_chosen}
        return {**whole, "recall": recall.value if self.n else None, "low": recall.low, "high": recall.high}


def class_counts(predictions: Tensor, labels: Tensor, n_classes: int) -> tuple[ClassCount, ...]:
    """(n,) predicted and (n,) right classes -> one count a class, in order."""
    of = torch.bincount(labels, minlength=n_classes)
    right = torch.bincount(labels[predictions == labels], minlength=n_classes)
    chosen = torch.bincount(predictions, minlength=n_classes)
    return tuple(ClassCount(i, int(of[i]), int(right[i]), int(chosen[i])) for i in range(n_classes))
