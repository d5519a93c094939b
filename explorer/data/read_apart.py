"""Data files, read by a process of their own; this side only takes over plain numbers of the stated size."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.data.request import MAX_BYTES, check_total
from explorer.errors import ExplorerError
from explorer.types.files import paths
from explorer.types.files.reading import answer
from explorer.types.files.reading.arrays import MAX_ARRAYS
from explorer.types.files.reading.fitting import Fitting
from explorer.types.files.reading.launch import Clocks, run
from explorer.types.files.reading.pictures import ASK, PIXELS
from explorer.types.files.reading.scratch import scratch

_PLAIN = re.compile(r"[<>|][buif]\d{1,2}")


@dataclass(frozen=True)
class Pixels:
    """What pictures become: their edge (None: the one that they share), their channels, and how they are fitted."""

    size: int | None
    n_channels: int
    fitting: Fitting | None = None


def decoded_apart(root: Path, files: Sequence[Path], pixels: Pixels, address: str) -> Tensor:
    """(n, channels, size, size) uint8 of these pictures in ``root``."""
    n_channels = pixels.n_channels
    clocks = _clocks_for(root, files)
    ask = {
        "root": str(root),
        "files": [str(path.relative_to(root)) for path in files],
        "size": pixels.size,
        "fitting": pixels.fitting and pixels.fitting.to_json(),
        "channels": n_channels,
        "most_bytes": MAX_BYTES // 4,
        "computing": clocks.computing,
        "waiting": clocks.waiting,
    }
    with scratch() as folder:
        (folder / ASK).write_text(json.dumps(ask), encoding="ascii")
        report = _report("explorer.types.files.reading.pictures", (), folder, clocks, repr(root.name))
        with _believed(repr(root.name)):
            check_total(4 * answer.whole(report.get("n_bytes")), address)
            edge = answer.whole(report.get("size"))
            array = _numbers(folder / PIXELS, np.dtype(np.uint8), (len(files), n_channels, edge, edge))
            return torch.from_numpy(array)


def names_in_zip(path: Path) -> list[str]:
    """The names of an archive's records. Raises ExplorerError for what no archive of pictures holds."""
    label = repr(path.name)
    with paths.opened(path) as source, scratch() as folder:
        clocks = Clocks.of(os.fstat(source.file.fileno()).st_size)
        report = _report("explorer.types.files.reading.zipped", (str(source.elsewhere),), folder, clocks, label)
        with _believed(label):
            names = report.get("names")
            if not isinstance(names, list):
                raise answer.UnusableError("there are no names")
            return [answer.text(name) for name in names]


def arrays_apart(path: Path, address: str) -> dict[str, np.ndarray]:
    """The arrays of a NumPy archive that are data, by name."""
    label = repr(path.name)
    with paths.opened(path) as source, scratch() as folder:
        clocks = Clocks.of(os.fstat(source.file.fileno()).st_size)
        report = _report("explorer.types.files.reading.arrays", (str(source.elsewhere),), folder, clocks, label)
        with _believed(label):
            check_total(answer.whole(report.get("n_bytes")), address)
            described = answer.entries(report.get("arrays"))
            if len(described) > MAX_ARRAYS:
                raise answer.UnusableError("there are more arrays than can be data")
            return {name: _array(folder, entry) for name, entry in described.items()}


@dataclass(frozen=True, eq=False)
class ArrowColumns:
    """The columns of a saved table: numbers, texts, names of classes; and those that are neither."""

    numbers: Mapping[str, Tensor]
    texts: Mapping[str, list[str]]
    classes: Mapping[str, list[str]]
    left_out: tuple[str, ...]


def columns_apart(root: Path) -> ArrowColumns:
    """What a folder of ``datasets`` holds."""
    label = repr(root.name)
    n_bytes = sum(path.stat().st_size for path in root.iterdir() if path.is_file())
    with scratch() as folder:
        module = "explorer.types.files.reading.arrow_tables"
        report = _report(module, (str(root),), folder, Clocks.of(n_bytes), label)
        with _believed(label):
            n = answer.whole(report.get("n"))
            numbers = {
                name: torch.from_numpy(_column(folder, entry, n))
                for name, entry in answer.entries(report.get("numbers")).items()
            }
            texts = {name: _strings(values, n) for name, values in answer.entries(report.get("texts")).items()}
            classes = {name: _strings(names) for name, names in answer.entries(report.get("classes")).items()}
            return ArrowColumns(numbers, texts, classes, tuple(_strings(report.get("left_out"))))


def _column(folder: Path, entry: object, n: int) -> np.ndarray:
    described = answer.entries(entry)
    kind, shape = answer.text(described.get("dtype")), answer.shape(described.get("shape"), 8)
    if not _PLAIN.fullmatch(kind) or shape[0] != n:
        raise answer.UnusableError("a column is no column of numbers")
    return _numbers(folder / f"c{answer.whole(described.get('file'))}", np.dtype(kind), shape)


def _strings(values: object, n: int | None = None) -> list[str]:
    if not isinstance(values, list) or (n is not None and len(values) != n):
        raise answer.UnusableError("a column of text is none")
    return [answer.text(value) for value in values]


def table_apart(path: Path, target: str) -> tuple[Mapping[str, object], np.ndarray, list[str]]:
    """What a CSV file is, its (rows, columns) inputs, and the cells of its target column."""
    label = repr(path.name)
    with paths.opened(path) as source, scratch() as folder:
        clocks = Clocks.of(4 * os.fstat(source.file.fileno()).st_size)
        report = _report("explorer.types.files.reading.tables", (str(source.elsewhere), target), folder, clocks, label)
        with _believed(label):
            shape = answer.whole(report.get("n")), answer.whole(report.get("n_inputs"))
            cells = report.get("y")
            if not isinstance(cells, list) or len(cells) != shape[0]:
                raise answer.UnusableError("the targets are not as many as the rows")
            x = _numbers(folder / "x.bin", np.dtype(np.float64), shape)
            return report, x.astype(np.float32), [answer.text(cell) for cell in cells]


def _array(folder: Path, entry: object) -> np.ndarray:
    described = answer.entries(entry)
    kind, shape = answer.text(described.get("dtype")), answer.shape(described.get("shape"), 32)
    if not _PLAIN.fullmatch(kind):
        raise answer.UnusableError("an array holds no plain numbers")
    by_columns = described.get("by_columns") is True
    numbers = _numbers(
        folder / f"a{answer.whole(described.get('file'))}", np.dtype(kind), shape[::-1] if by_columns else shape
    )
    return numbers.T if by_columns else numbers


def _numbers(path: Path, kind: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    n_values = math.prod(shape)
    if path.is_symlink() or path.stat().st_size != n_values * kind.itemsize:
        raise answer.UnusableError("an array has another size than the report says")
    return np.fromfile(path, dtype=kind, count=n_values).reshape(shape)


@contextmanager
def _believed(label: str) -> Iterator[None]:
    """What is wrong with an answer becomes a sentence."""
    try:
        yield
    except (OSError, ValueError, TypeError):
        logging.getLogger(__name__).exception("The answer for %s cannot be used.", label)
        raise _cannot(label, "The reader gave no usable answer.") from None


def _report(module: str, arguments: Sequence[str], folder: Path, clocks: Clocks, label: str) -> Mapping[str, object]:
    broke = run(module, (*arguments, str(folder)), folder, clocks)
    if broke is not None:
        raise _cannot(label, broke)
    with _believed(label):
        report = answer.report_in(folder)
        refusal = answer.refusal_in(report)
        what = answer.text(report.get("what", ""))[: answer.MAX_SENTENCE]
    if refusal is not None:
        raise ExplorerError(what or f"{label} cannot be used as data.", why=refusal[0], fix=refusal[1])
    return report


def _cannot(label: str, why: str) -> ExplorerError:
    return ExplorerError(f"{label} cannot be used as data.", why=why, fix="Repair or save it again.")


def _clocks_for(root: Path, files: Sequence[Path]) -> Clocks:
    """A picture may unpack to far more than its file: each has a moment besides what its bytes take."""
    n_bytes = root.stat().st_size if root.is_file() else sum(path.stat().st_size for path in files)
    computing = 20.0 + 0.05 * len(files) + n_bytes / 2e6
    return Clocks(computing, 60.0 + 10 * computing)
