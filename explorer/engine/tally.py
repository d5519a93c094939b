"""Results of batches, added up into evaluations."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from explorer.engine.judges import JUDGES, How, judge_of
from explorer.engine.results import BatchResult, joined
from explorer.types import Evaluation

__all__ = ["BatchResult", "Tallies", "Tally", "joined", "judge", "judge_each"]


def judge(outputs: Tensor, labels: Tensor | None, dense: BatchResult | None) -> BatchResult:
    """What the outputs of n samples are worth; ``dense`` is the dense model's result, None if this is it.

    Raises ExplorerError when labels and outputs do not fit each other.
    """
    return judge_of(outputs, labels).result(outputs, labels, dense)


def judge_each(outputs: Tensor, labels: Tensor | None, dense: BatchResult) -> BatchResult:
    """The same for several models' outputs of the same samples, (models, n, ...): tensors of (models, n, ...)."""
    n_models, n = outputs.shape[:2]
    again = torch.arange(n).repeat(n_models)
    flat = judge_of(outputs[0], labels).result(
        outputs.flatten(0, 1), None if labels is None else labels[again], dense.at(again), briefly=True
    )
    found: dict[str, Any] = {f.name: getattr(flat, f.name) for f in fields(flat)}
    found = {k: v.reshape(n_models, n, *v.shape[1:]) if isinstance(v, Tensor) else v for k, v in found.items()}
    return BatchResult(**found)


class Tally:
    """Batches in the split's order, and the evaluation they amount to so far."""

    def __init__(self, total: int, batch_size: int, device: str) -> None:
        self._total = total
        self._how = How(batch_size, device)
        self._results: list[BatchResult] = []

    def add(self, result: BatchResult) -> None:
        """Take in the next batch."""
        self._results.append(result)

    def evaluation(self, seconds: float) -> Evaluation:
        """Everything so far, with intervals."""
        return self._evaluation(joined(self._results), seconds)

    def _evaluation(self, whole: BatchResult, seconds: float) -> Evaluation:
        found = JUDGES[whole.task].verdict(whole, self._how)
        return Evaluation(
            n=len(whole.agrees),
            total=self._total,
            accuracy=found.accuracy,
            drop=found.drop,
            agreement=found.agreement,
            loss=found.loss,
            predictions=whole.predictions,
            dense_predictions=whole.dense_predictions,
            judged_by=found.judged_by,
            seconds=seconds,
            metrics=found.metrics,
        )


class Tallies(Tally):
    """The same for several models whose batches are judged together (:func:`judge_each`)."""

    def evaluations(self, seconds: float) -> list[Evaluation]:
        """One evaluation a model."""
        whole = joined(self._results, dim=1)
        return [self._evaluation(whole.at(model), seconds) for model in range(len(whole.agrees))]
