"""What the labels of arrays are: classes, numbers to predict or tokens. Stated by the user, else guessed and said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.data.request import DataRequest, unusable
from explorer.errors import ExplorerError
from explorer.text.names import clean
from explorer.types import Finding
from explorer.types.tasks import StatedTask

_MOST = 100_000  # classes
_MANY = 20  # classes, from which on one class for every second sample is worth a word
_STATE = "If that is not what they are, state the task: classes, labels, numbers, tokens or mask."


@dataclass(frozen=True, eq=False)
class Targets:
    """All labels of an archive together, whatever split they are in; ``are_texts``: whole numbers in the shape of x."""

    y: np.ndarray
    are_texts: bool

    @property
    def is_whole(self) -> bool:
        """Whether every number is whole."""
        return self.y.dtype.kind != "f" or bool(np.all(np.isfinite(self.y) & (self.y == np.floor(self.y))))

    @property
    def is_row(self) -> bool:
        """Whether each sample has several numbers."""
        return self.y.ndim == 2 and self.y.shape[1] > 1

    @property
    def is_one_hot(self) -> bool:
        """Whether each sample has a row of zeros with a single one."""
        return self.is_row and _are_bits(self.y) and bool(np.all(self.y.sum(axis=1) == 1))


def guessed(targets: Targets, request: DataRequest) -> tuple[StatedTask, tuple[Finding, ...]]:
    """The task that the labels are for, with what there is to say about it. Raises ExplorerError for no task."""
    if request.task is not None:
        return _stated(request.task, request), ()
    if targets.y.ndim == 3 and targets.is_whole:
        return "mask", (_guess("ok", "y holds a whole number for each place: read as masks of classes."),)
    if targets.is_one_hot:
        return "classes", (_guess("ok", f"y holds one-hot rows: read as {targets.y.shape[1]} classes."),)
    if targets.are_texts:
        return "tokens", (_guess("ok", "y holds whole numbers in the shape of x: read as tokens."),)
    if targets.is_row and targets.y.dtype.kind != "f" and _are_bits(targets.y):
        what = f"y holds rows of {targets.y.shape[1]} zeros and ones, not one-hot: read as labels, several a sample."
        return "labels", (_guess("ok", what),)
    if targets.is_row:
        return "numbers", _rows(targets, request)
    if not targets.is_whole:
        return "numbers", (_guess("ok", "y holds numbers with a point: read as numbers to predict."),)
    return _whole(targets, request)


def converted(raw: np.ndarray, task: StatedTask, request: DataRequest) -> Tensor:
    """int64 classes or tokens, or float32 numbers. Raises ExplorerError where the labels cannot be that."""
    if task in _OTHERS:
        return _OTHERS[task](raw, request)
    targets = Targets(raw, are_texts=False)
    if task == "classes" and targets.is_one_hot:
        return torch.from_numpy(raw.argmax(axis=1).astype(np.int64))
    if not targets.is_whole or (raw.ndim != 2 and task == "tokens"):
        why = f"y does not hold {task}: it has the shape {raw.shape} and type {raw.dtype}."
        raise unusable(request, why, "Save y as whole numbers, or state another task.")
    y = torch.from_numpy(raw.astype(np.int64))
    if task == "tokens":
        return y
    y = y[:, 0].contiguous() if y.dim() == 2 and y.shape[1] == 1 else y
    if y.dim() != 1 or (len(y) and (int(y.min()) < 0 or int(y.max()) > _MOST)):
        fix = "Save y as whole numbers from 0 or as one-hot rows, or state the task numbers."
        raise unusable(request, "y does not hold one class per sample.", fix)
    return y


def _stated(task: StatedTask, request: DataRequest) -> StatedTask:
    """The task that was stated, where the model's outputs are for it."""
    n = None if request.model is None else request.model.n_classes
    if task == "binary" and n not in (None, 1):
        what = (
            f"The task binary needs one output, and {clean(request.model.address if request.model else '')} gives {n}."
        )
        raise ExplorerError(what, fix="State the task classes, or choose one output of the model by output=.")
    return task


def _binary(raw: np.ndarray, request: DataRequest) -> Tensor:
    """int64 classes 0 and 1."""
    y = converted(raw, "classes", request)
    if len(y) and int(y.max()) > 1:
        why = f"y holds classes up to {int(y.max())}, and the task binary tells 0 and 1 apart."
        raise unusable(request, why, "Save y as 0 and 1, or state the task classes.")
    return y


def _labels(raw: np.ndarray, request: DataRequest) -> Tensor:
    """(n, k) bool: which labels each sample has."""
    if raw.ndim != 2 or not _are_bits(raw):
        why = (
            f"y does not hold a row of zeros and ones for each sample: it has the shape {raw.shape}, type {raw.dtype}."
        )
        raise unusable(request, why, "Save y as rows of zeros and ones, one column a label, or state another task.")
    n = None if request.model is None else request.model.n_classes
    if n is not None and n != raw.shape[1]:
        raise unusable(
            request, f"y has {raw.shape[1]} labels, the model gives {n} outputs.", "Name each output's label."
        )
    return torch.from_numpy(raw.astype(bool))


def _mask(raw: np.ndarray, request: DataRequest) -> Tensor:
    """(n, height, width) int64 classes; negative places and 255 belong to none."""
    is_whole = raw.dtype.kind != "f" or bool(np.all(raw == np.floor(raw)))
    squeezed = raw[:, 0] if raw.ndim == 4 and raw.shape[1] == 1 else raw
    if squeezed.ndim != 3 or not is_whole:
        why = f"y does not hold a class for each place: it has the shape {raw.shape}, type {raw.dtype}."
        raise unusable(request, why, "Save y as whole numbers of the shape (n, height, width).")
    return torch.from_numpy(np.ascontiguousarray(squeezed).astype(np.int64))


def _as_it_is(raw: np.ndarray, request: DataRequest) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(raw))


def _rows(targets: Targets, request: DataRequest) -> tuple[Finding, ...]:
    if targets.y.dtype.kind != "f":
        fix = "Save y as whole numbers from 0, or state the task numbers."
        raise unusable(request, "y holds rows of whole numbers that are not one-hot: not one class per sample.", fix)
    k = targets.y.shape[1]
    if not _are_bits(targets.y):
        return (_guess("ok", f"y holds rows of {k} numbers: read as numbers to predict."),)
    return (_guess("warn", f"y holds rows of {k} zeros and ones, not one-hot: read as numbers to predict."),)


def _whole(targets: Targets, request: DataRequest) -> tuple[StatedTask, tuple[Finding, ...]]:
    """One whole number a sample: a class, or a number to predict where the model has one output and no two classes."""
    values: list[int] = np.unique(targets.y).astype(np.int64).tolist()
    n_outputs = None if request.model is None else request.model.n_classes
    _refuse_from_one(values, n_outputs, request)
    if n_outputs == 1:
        return _one_output(values, request)
    if targets.y.dtype.kind == "f":
        return "classes", (_guess("ok", "y holds floating-point numbers that are all whole: read as classes."),)
    if len(values) > max(_MANY, len(targets.y) // 2):
        what = f"y holds {len(values):,} different whole numbers for {len(targets.y):,} samples: read as classes."
        return "classes", (_guess("warn", what),)
    if len(values) > 1 and values[0] == 1 and values[-1] == len(values):  # they differ and rise: 1, 2, 3, ...
        what = "No sample is of class 0: the labels may start at 1 where the model's start at 0."
        return "classes", (Finding("warn", what, f"They are 1 to {values[-1]}.", "Subtract 1 from y if so."),)
    return "classes", ()


def _refuse_from_one(values: Sequence[int], n_outputs: int | None, request: DataRequest) -> None:
    """Labels 1 to n of a model with n outputs cannot be counted from 0."""
    n = 2 if n_outputs == 1 and list(values) == [1, 2] else n_outputs
    if n is not None and n > 1 and values and values[0] == 1 and values[-1] == n:
        why = f"The labels start at 1 and end at {n}, and the model's {n} classes are counted from 0."
        raise unusable(request, why, "Subtract 1 from y.")


def _one_output(values: Sequence[int], request: DataRequest) -> tuple[StatedTask, tuple[Finding, ...]]:
    if set(values) <= {0, 1}:
        what = (
            "The model gives one output and y holds 0 and 1: read as two classes, class 1 where the output is above 0."
        )
        return "classes", (_guess("ok", what, "The output must be a logit, not a probability."),)
    if list(values) == [-1, 1]:
        why = "y holds -1 and 1, and a model with one output tells the classes 0 and 1 apart."
        raise unusable(request, why, "Save y as 0 and 1, or state the task numbers.")
    what = (
        f"The model gives one output and y holds {len(values):,} different whole numbers: read as numbers to predict."
    )
    return "numbers", (_guess("warn", what),)


def _numbers(raw: np.ndarray, request: DataRequest) -> Tensor:
    y = torch.from_numpy(raw.astype(np.float32))
    if y.dim() not in (1, 2) or not bool(torch.isfinite(y).all()):
        why = "y does not hold finite numbers, one or a row of them per sample."
        raise unusable(request, why, "Save y as numbers to predict, or as classes: whole numbers from 0.")
    return y


_OTHERS: dict[StatedTask, Callable[[np.ndarray, DataRequest], Tensor]] = {
    "numbers": _numbers,
    "labels": _labels,
    "binary": _binary,
    "custom": _as_it_is,
    "embedding": _as_it_is,
    "mask": _mask,
}


def _are_bits(y: np.ndarray) -> bool:
    return bool(np.all((y == 0) | (y == 1)))


def _guess(level: str, what: str, evidence: str = "") -> Finding:
    return Finding("warn" if level == "warn" else "ok", what, evidence, _STATE)
