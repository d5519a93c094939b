"""Results of batches, added up into evaluations."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.engine.answers import ANSWERS, Provenance, answers_of
from explorer.engine.results import BatchResult, each, joined
from explorer.types import Evaluation

__all__ = ["BatchResult", "Tallies", "Tally", "joined", "per_sample", "per_sample_of_each"]


def per_sample(outputs: Tensor, labels: Tensor | None, dense: BatchResult | None) -> BatchResult:
    """What the outputs of n samples are worth; ``dense`` is the dense model's result, None if this is it.

    Raises ExplorerError when labels and outputs do not fit each other.
    """
    return answers_of(outputs, labels).per_sample(outputs, labels, dense)


def per_sample_of_each(outputs: Tensor, labels: Tensor | None, dense: BatchResult) -> BatchResult:
    """The same for several models' outputs of the same samples, (models, n, ...): tensors of (models, n, ...)."""
    n_models, n = outputs.shape[:2]
    again = torch.arange(n).repeat(n_models)
    flat = answers_of(outputs[0], labels).per_sample(
        outputs.flatten(0, 1), None if labels is None else labels[again], dense.at(again), briefly=True
    )
    return each(lambda tensors: tensors[0].reshape(n_models, n, *tensors[0].shape[1:]), [flat])


class Tally:
    """Batches in the split's order, and the evaluation they amount to so far."""

    def __init__(self, total: int, batch_size: int, device: str) -> None:
        self._total = total
        self._origin = Provenance(batch_size, device)
        self._results: list[BatchResult] = []

    def add(self, result: BatchResult) -> None:
        """Take in the next batch."""
        self._results.append(result)

    def evaluation(self, seconds: float) -> Evaluation:
        """Everything so far, with intervals."""
        return self._evaluation(joined(self._results), seconds)

    def _evaluation(self, whole: BatchResult, seconds: float) -> Evaluation:
        totals = ANSWERS[whole.task].totals(whole, self._origin)
        return Evaluation(
            n=len(whole.agrees),
            total=self._total,
            accuracy=totals.accuracy,
            drop=totals.drop,
            agreement=totals.agreement,
            loss=totals.loss,
            predictions=whole.predictions,
            dense_predictions=whole.dense_predictions,
            judged_by=totals.judged_by,
            seconds=seconds,
            metrics=totals.metrics,
        )


class Tallies(Tally):
    """The same for several models whose batches are evaluated together (:func:`per_sample_of_each`)."""

    def evaluations(self, seconds: float) -> list[Evaluation]:
        """One evaluation a model."""
        whole = joined(self._results, dim=1)
        return [self._evaluation(whole.at(model), seconds) for model in range(len(whole.agrees))]
