"""Tables of rows with named columns, as ``datasets.Dataset`` has them: read by their interface alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Finding

TARGETS = ("labels", "label", "targets", "target", "y")
_ROWS = 256
_PICTURE = "convert"  # what Pillow's pictures can do


@runtime_checkable
class Table(Protocol):
    """``datasets.Dataset``, or what offers the same: column names, features, a length, and rows by slice."""

    @property
    def column_names(self) -> Sequence[str]:
        """The columns."""

    @property
    def features(self) -> Mapping[str, object]:
        """What each column holds; a column of classes has ``names``."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice) -> Mapping[str, Sequence[object]]:
        """The values of these rows, by column."""


def is_table(value: object) -> bool:
    """Whether it is such a table and no dict of splits."""
    return not isinstance(value, Mapping) and isinstance(value, Table) and isinstance(value.column_names, list | tuple)


def class_names(table: Table) -> tuple[str, ...]:
    """The names of the classes of the target column; none where it has none."""
    target = _target(list(table.column_names))
    names = getattr(table.features.get(target), "names", None) if target else None
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()


def batches(table: Table) -> Iterator[dict[str, Tensor]]:
    """The rows of every column that is numbers or pictures, some rows at a time."""
    for start in range(0, len(table), _ROWS):
        rows = table[start : start + _ROWS]
        tensors = {name: tensor for name in rows if (tensor := _tensor(rows[name])) is not None}
        yield tensors


def chosen(
    batch: Mapping[str, Tensor], names: Sequence[str], what: str
) -> tuple[tuple[str, ...], str | None, tuple[Finding, ...]]:
    """Which columns go in, which one is the target, and what is left out.

    ``names`` are the names of the model's inputs, none where it has one input or none is known. Raises ExplorerError
    where the inputs are not sure.
    """
    target = _target(list(batch))
    others = [name for name in batch if name != target]
    absent = [name for name in names if name not in others]
    if names and absent:
        why = f"The model takes {listed(list(names))}; {what} have {listed(others) or 'nothing that is numbers'}."
        raise ExplorerError(f"{listed(absent)} is not in the data at hand.", why=why, fix="Name the columns like that.")
    inputs = tuple(names) or tuple(others)
    if not inputs or (len(inputs) > 1 and not names):
        why = f"{what.capitalize()} have {listed(others) or 'nothing that is numbers'}, and which go in is not sure."
        fix = "Give a model whose example names its inputs, or leave one column beside the labels."
        raise ExplorerError("The data at hand cannot be read as samples.", why=why, fix=fix)
    rest = [name for name in others if name not in inputs]
    if not rest:
        return inputs, target, ()
    finding = Finding("ok", f"Left out, since the model does not take it: {listed([clean(name) for name in rest])}.")
    return inputs, target, (finding,)


def _target(names: Sequence[str]) -> str | None:
    return next((name for name in TARGETS if name in names), None)


def _tensor(values: object) -> Tensor | None:
    """A column as a tensor; None for text and other things that are no numbers. Raises ExplorerError for odd shapes."""
    if isinstance(values, Tensor):
        return values
    try:
        items = list(values)  # type: ignore[call-overload]
        if items and hasattr(items[0], _PICTURE):
            items = [np.asarray(item.convert("RGB")) for item in items]
        elif items and isinstance(items[0], Tensor):
            return torch.stack(items)
        array = np.asarray(items)
    except (TypeError, ValueError, RuntimeError):
        why = "Its rows differ in length."
        raise ExplorerError("A column is no array.", why=why, fix="Pad the rows to one length.") from None
    return torch.from_numpy(array) if array.dtype.kind in "fiub" else None
