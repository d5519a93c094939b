"""What two models answer to the same samples, reduced batch by batch to a few numbers a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.engine.answers import task_of
from explorer.engine.prepared import logits_of
from explorer.errors import ExplorerError
from explorer.pruning.running import fitting, runnable, two_scores
from explorer.types import LoadedModel, Task
from explorer.types.code_limit import Limited
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check

BATCH = 64  # what a core computes fastest: larger ones no longer fit its cache


@dataclass(frozen=True, eq=False)
class Side:
    """One model's answers, (n,) each: the class chosen, its probability, the probability of class 1, NLL and Brier of
    the label (NaN without labels), whether all outputs are finite; ``low`` and ``high`` (classes,) of the outputs."""

    choice: Tensor
    confidence: Tensor
    second: Tensor
    nll: Tensor
    brier: Tensor
    finite: Tensor
    low: Tensor
    high: Tensor


@dataclass(frozen=True, eq=False)
class AnswerPair:
    """Both models' answers to n samples. ``kl`` (n,): KL(dense, candidate) in nats; ``of_choice`` (n,): the candidate's
    probability of what the dense model chooses; ``labels`` (n,) or None."""

    dense: Side
    candidate: Side
    kl: Tensor
    of_choice: Tensor
    labels: Tensor | None
    n_classes: int

    def __len__(self) -> int:
        return len(self.kl)

    def right(self, side: Side) -> Tensor:
        """(n,) bool: whether the choice is the label; only with labels."""
        if self.labels is None:
            raise ValueError("there are no labels")
        return side.choice == self.labels

    @property
    def lost(self) -> Tensor:
        """(n,) bool: right before, wrong now."""
        return self.right(self.dense) & ~self.right(self.candidate)

    @property
    def won(self) -> Tensor:
        """(n,) bool: wrong before, right now."""
        return ~self.right(self.dense) & self.right(self.candidate)

    @property
    def changed(self) -> Tensor:
        """(n,) bool: another class is chosen."""
        return self.dense.choice != self.candidate.choice


def task(model: LoadedModel, x: Inputs, labels: Tensor | None) -> Task:
    """What the model's outputs are, seen from one sample of these."""
    module = runnable(model)
    with torch.inference_mode():
        outputs = logits_of(call(module, fitting(x[:1], module)), 1)
    return task_of(outputs, labels)


def answered(dense: LoadedModel, candidate: LoadedModel, x: Inputs, labels: Tensor | None) -> AnswerPair:
    """Both models' answers. Raises ExplorerError where they do not tell the same classes apart."""
    return answered_by(dense, (candidate,), x, labels)[0]


def answered_by(
    dense: LoadedModel, candidates: Sequence[LoadedModel], x: Inputs, labels: Tensor | None
) -> tuple[AnswerPair, ...]:
    """The dense model's answers with those of each candidate; every model runs once.

    Raises ExplorerError where they do not tell the same classes apart.
    """
    parts = list(_batches((dense, *candidates), x, labels))
    if not parts:
        raise ExplorerError("There are no samples to check on.", fix="Choose another split or other data.")
    sides = [_joined(list(of_one)) for of_one in zip(*(part.sides for part in parts), strict=True)]
    n_classes = parts[0].sides[0].low.shape[0]
    kls = [torch.cat(of_one) for of_one in zip(*(part.kls for part in parts), strict=True)]
    of_choice = [torch.cat(of_one) for of_one in zip(*(part.of_choice for part in parts), strict=True)]
    return tuple(
        AnswerPair(sides[0], side, kl, chosen, labels, n_classes)
        for side, kl, chosen in zip(sides[1:], kls, of_choice, strict=True)
    )


def scores_of(model: LoadedModel, x: Inputs) -> Iterator[Tensor]:
    """A model's class scores (n, classes) batch by batch, float64."""
    module = runnable(model)
    with Limited(model.code_seconds, "A pass of a check") as limited:
        for start in range(0, len(x), BATCH):
            check()
            yield limited(partial(_scores, module, x[start : start + BATCH]))


def _scores(module: nn.Module, x: Inputs) -> Tensor:
    with torch.inference_mode():
        return two_scores(logits_of(call(module, fitting(x, module)), len(x))).double().cpu()


@dataclass(frozen=True, eq=False)
class _Batch:
    """What all models say to one batch; ``kls`` and ``of_choice`` of each model but the first."""

    sides: list[Side]
    kls: list[Tensor]
    of_choice: list[Tensor]


def _batches(models: Sequence[LoadedModel], x: Inputs, labels: Tensor | None) -> Iterator[_Batch]:
    start = 0
    for scores in zip(*(scores_of(model, x) for model in models), strict=True):
        for other in scores[1:]:
            _refuse_other_classes(scores[0], other)
        of_labels = None if labels is None else labels[start : start + len(scores[0])]
        start += len(scores[0])
        logs = [each.log_softmax(dim=1) for each in scores]
        sides = [_side(each, log, of_labels) for each, log in zip(scores, logs, strict=True)]
        kls = [(logs[0].exp() * (logs[0] - log)).sum(dim=1).clamp_min(0) for log in logs[1:]]
        of_choice = [log.exp().gather(1, sides[0].choice[:, None])[:, 0] for log in logs[1:]]
        yield _Batch(sides, kls, of_choice)


def _refuse_other_classes(one: Tensor, other: Tensor) -> None:
    if one.shape[1] != other.shape[1]:
        what = "The two models do not answer the same question."
        why = f"One tells {one.shape[1]} classes apart, the other {other.shape[1]}."
        raise ExplorerError(what, why=why, fix="Name the model that the candidate replaces.")


def _side(scores: Tensor, logs: Tensor, labels: Tensor | None) -> Side:
    confidence, choice = logs.exp().max(dim=1)
    nll = brier = torch.full_like(confidence, float("nan"))
    if labels is not None:
        check_labels(labels, scores.shape[1])
        nll = functional.nll_loss(logs, labels, reduction="none")
        brier = (logs.exp() - functional.one_hot(labels, scores.shape[1])).square().sum(dim=1)
    second = logs[:, 1].exp() if scores.shape[1] > 1 else confidence
    finite = scores.isfinite().all(dim=1)
    return Side(choice, confidence, second, nll, brier, finite, scores.amin(dim=0), scores.amax(dim=0))


def check_labels(labels: Tensor, n_classes: int) -> None:
    """ExplorerError where a label is not among the classes."""
    if not 0 <= int(labels.min()) <= int(labels.max()) < n_classes:
        raise ExplorerError(
            f"The data has classes up to {int(labels.max())}, but the model tells {n_classes} apart.",
            why="Classes are counted from 0.",
            fix="Choose the data this model was trained for.",
        )


def _joined(parts: list[Side]) -> Side:
    """Samples one after the other; of the outputs' ends the lowest and the highest."""
    tensors = {field.name: [getattr(part, field.name) for part in parts] for field in fields(Side)}
    ends = {"low": torch.stack(tensors["low"]).amin(dim=0), "high": torch.stack(tensors["high"]).amax(dim=0)}
    return Side(**{name: ends.get(name, torch.cat(each)) for name, each in tensors.items()})
