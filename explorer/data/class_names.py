"""The names of classes, where whoever loads the data states them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.errors import ExplorerError
from explorer.types import Dataset


def named(dataset: Dataset, classes: Sequence[str] | int) -> Dataset:
    """The dataset with these names of its classes, in the order of labels; a number counts them."""
    names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(map(str, classes))
    labels = [split.y for split in dataset.splits.values() if split.y is not None]
    if not dataset.classes and labels:
        what = "Classes are named, and the targets are no classes."
        raise ExplorerError(what, fix="Leave classes out, or state the task.")
    is_classes = [y for y in labels if y.dim() == 1]
    highest = max((int(y.max()) for y in is_classes if len(y)), default=-1)
    n_columns = max((y.shape[1] for y in labels if y.dim() == 2), default=0)
    if max(highest + 1, n_columns) > len(names):
        counted = f"labels go up to {highest}" if highest >= 0 else f"targets have {n_columns} columns"
        what = f"{len(names)} classes are named, and {counted}."
        raise ExplorerError(what, why="Classes are counted from 0.", fix="Name every class, in the order of labels.")
    return replace(dataset, classes=names)
