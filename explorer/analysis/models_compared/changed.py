"""The samples that two models answer differently, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from explorer.analysis.check.answers import AnswerPair

Direction = Literal["right to wrong", "wrong to right", "wrong to another wrong", "another answer"]
DIRECTIONS: tuple[Direction, ...] = ("right to wrong", "wrong to right", "wrong to another wrong")


@dataclass(frozen=True)
class ChangedSample:
    """One sample of the split, by its ``index`` there: both answers, and how probable each model finds the right class.

    Without labels ``label`` is None, the direction "another answer", and the probabilities are of ``before``.
    """

    index: int
    label: int | None
    before: int
    after: int
    p_before: float
    p_after: float
    direction: Direction

    @property
    def change(self) -> float:
        """The probability after, minus that before."""
        return self.p_after - self.p_before


def changed_samples(
    pair: AnswerPair, *, directions: Sequence[Direction] = (), of_class: int | None = None
) -> tuple[ChangedSample, ...]:
    """All of them, the largest change of probability first, ties in the split's order.

    ``directions`` (none given: all) and ``of_class`` (the label; without labels the first answer) leave others out.
    """
    before, after = _probabilities(pair)
    which = pair.changed & _of_class(pair, of_class)
    indices = torch.nonzero(which)[:, 0]
    order = (after - before)[indices].abs().argsort(descending=True, stable=True)
    samples = (_sample(pair, int(i), before, after) for i in indices[order])
    return tuple(sample for sample in samples if not directions or sample.direction in directions)


def _probabilities(pair: AnswerPair) -> tuple[Tensor, Tensor]:
    if pair.labels is None:
        return pair.dense.confidence, pair.of_choice
    return (-pair.dense.nll).exp(), (-pair.candidate.nll).exp()


def _of_class(pair: AnswerPair, of_class: int | None) -> Tensor:
    classes = pair.dense.choice if pair.labels is None else pair.labels
    return torch.ones_like(pair.changed) if of_class is None else classes == of_class


def _sample(pair: AnswerPair, i: int, before: Tensor, after: Tensor) -> ChangedSample:
    label = None if pair.labels is None else int(pair.labels[i])
    answers = int(pair.dense.choice[i]), int(pair.candidate.choice[i])
    return ChangedSample(i, label, *answers, float(before[i]), float(after[i]), _direction(label, *answers))


def _direction(label: int | None, before: int, after: int) -> Direction:
    if label is None:
        return "another answer"
    if before == label:
        return "right to wrong"
    return "wrong to right" if after == label else "wrong to another wrong"
