"""A table of text: rows of numbers with one target each. What was assumed about the file is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from explorer.data.class_places import class_places
from explorer.data.npz import from_arrays
from explorer.data.read_apart import table_apart
from explorer.data.request import DataRequest
from explorer.errors import ExplorerError
from explorer.text.names import clean, listed
from explorer.types import Dataset, Finding


@dataclass(frozen=True)
class Csv:
    """One row a sample; the target is the column called y, label, target or class, else the last one.

    ``csv:FILE#COLUMN`` names another target. Separator, encoding and header are found out and said; rows with a
    missing value are left out and counted. Targets that are text are classes.
    """

    key: ClassVar[str] = "csv"
    form: ClassVar[str] = "csv:PATH"

    def load(self, request: DataRequest) -> Dataset:
        """x: (n, columns) float32; y as in an archive of arrays."""
        if request.size is not None:
            raise ExplorerError("Tables are not scaled.", fix="Leave size out.")
        place, mark, target = request.place.rpartition("#")
        at = replace(request, place=place) if mark and Path(place.strip()).suffix else request
        target = target if at is not request else ""
        report, x, cells = table_apart(at.path, target.strip())
        values, classes, findings = _targets(cells, request)
        dataset = from_arrays({"x": x, "y": values}, at)
        dataset = replace(dataset, classes=classes) if classes else dataset
        return replace(dataset, findings=(*_assumed(report), *findings, *dataset.findings))


def _targets(cells: list[str], request: DataRequest) -> tuple[np.ndarray, tuple[str, ...], tuple[Finding, ...]]:
    """The targets as numbers, the names of classes where they are text, and what there is to say."""
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        places = class_places(sorted(set(cells)), request.model, request.address)
        what = f"The targets are {len(set(cells))} names: read as classes."
        finding = Finding("ok", what, f"In the order {listed([clean(name) for name in places.classes], 8)}.")
        codes = np.array([places.places[cell] for cell in cells], dtype=np.int64)
        return codes, places.classes, (finding, *places.findings)
    is_whole = bool(np.all(numbers == np.floor(numbers))) and not any("." in cell for cell in cells)
    return (numbers.astype(np.int64) if is_whole else numbers), (), ()


def _assumed(report: Mapping[str, object]) -> tuple[Finding, ...]:
    """How the file was read, and what was left out."""
    header = "its first row names the columns" if report["header"] else "it has no row of names"
    comma = ", commas in numbers read as points" if report["decimal_comma"] else ""
    what = f"Read in {str(report['encoding']).upper()}, cells separated by {report['separator']}; {header}{comma}."
    target = f"The target is {clean(str(report['target']))}, all other columns are inputs."
    read = Finding("ok", what, target, "Name another target as csv:FILE#COLUMN.")
    absent, n = report["absent"], report["n_left_out"]
    if not isinstance(absent, Mapping) or not n:
        return (read,)
    columns = listed([f"{clean(str(name))} {count}" for name, count in absent.items()], 8)
    left_out = f"{n} rows are left out: they have missing values."
    return (read, Finding("warn", left_out, f"Missing by column: {columns}.", "Fill them in to use these rows."))
