"""Results of batches, added up into evaluations."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from explorer.engine.answers import ANSWERS, Provenance, answers_of
from explorer.engine.asked import Asked
from explorer.engine.results import BatchResult, each, joined
from explorer.types import Evaluation

__all__ = ["BatchResult", "Tallies", "Tally", "joined", "per_sample", "per_sample_of_each"]

_NOTHING = Asked()


def per_sample(
    outputs: Tensor,
    labels: Tensor | None,
    dense: BatchResult | None,
    asked: Asked = _NOTHING,
    targets: Tensor | None = None,
) -> BatchResult:
    """What the outputs of n samples are worth; ``dense`` is the dense model's result, None if this is it.

    ``asked`` are metrics beside the task's own, of which those of the user see ``targets`` where there are no labels.
    Raises ExplorerError when labels and outputs do not fit each other.
    """
    result = answers_of(outputs, labels, asked.task).per_sample(outputs, labels, dense)
    return asked.added(result, outputs, targets if labels is None else labels, dense)


def per_sample_of_each(
    outputs: Tensor, labels: Tensor | None, dense: BatchResult, asked: Asked = _NOTHING, targets: Tensor | None = None
) -> BatchResult:
    """The same for several models' outputs of the same samples, (models, n, ...): tensors of (models, n, ...)."""
    n_models, n = outputs.shape[:2]
    again = torch.arange(n).repeat(n_models)
    briefly = asked.headline is None
    every, of_dense = outputs.flatten(0, 1), (replace(dense, scores=None) if briefly else dense).at(again)
    all_labels, all_targets = (None if of is None else of[again] for of in (labels, targets))
    answers = answers_of(outputs[0], labels, asked.task)
    flat = answers.per_sample(every, all_labels, of_dense, briefly=briefly)
    flat = asked.added(flat, every, all_targets if all_labels is None else all_labels, of_dense)
    return each(lambda tensors: tensors[0].reshape(n_models, n, *tensors[0].shape[1:]), [flat])


class Tally:
    """Batches in the split's order, and the evaluation they amount to so far."""

    def __init__(self, total: int, batch_size: int, device: str, asked: Asked = _NOTHING) -> None:
        self._total = total
        self._asked = asked
        self._origin = Provenance(batch_size, device, asked.metrics)
        self._results: list[BatchResult] = []

    def add(self, result: BatchResult) -> None:
        """Take in the next batch."""
        self._results.append(replace(result, scores=None))

    def evaluation(self, seconds: float) -> Evaluation:
        """Everything so far, with intervals."""
        return self._evaluation(joined(self._results), seconds)

    def _evaluation(self, whole: BatchResult, seconds: float) -> Evaluation:
        origin = replace(self._origin, quickly=len(whole.agrees) < self._total)
        totals = self._asked.totals(ANSWERS[whole.task].totals(whole, origin), whole, origin)
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
