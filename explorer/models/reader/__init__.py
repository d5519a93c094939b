"""Weights out of files that nobody vouches for: each is read in a process of its own, under limits."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.reader.transfer import apart
from explorer.types.aliases import JsonObject
from explorer.types.files.reading import answer
from explorer.types.files.reading.launch import Clocks, run
from explorer.types.files.reading.limits import opened_bytes
from explorer.types.files.reading.scratch import scratch

SAVE_AGAIN = "Save the weights again as safetensors, and open that file."
TENSORS = "tensors.safetensors"
MAX_HEADER_BYTES = 128 * 2**20


@dataclass(frozen=True, eq=False)
class FileContents:
    """What a file holds: unique tensors, the other names of tied ones, and what was noticed.

    ``facts`` are numbers and texts stored beside the weights (such as the epoch); ``metadata`` is
    the text part of a safetensors header; ``extra`` is the extra state of modules; ``kind`` is "onnx" for a graph.
    """

    tensors: Mapping[str, Tensor]
    aliases: Mapping[str, str]
    repairs: tuple[str, ...]
    oddities: tuple[str, ...]
    facts: JsonObject
    metadata: Mapping[str, str]
    extra: JsonObject = field(default_factory=dict)
    kind: str = ""


def read_file(path: Path, label: str, chosen: str = "", beside: Path | None = None) -> FileContents:
    """The contents of a file, or the ``chosen`` set of weights in it; ``label`` names it in a refusal.

    ``beside`` is the folder that it lies in, from which the numbers of an ONNX file may come. Raises ExplorerError.
    """
    with scratch() as folder:
        _run(path, folder, label, chosen, beside)
        return _answer(folder, label, path.stat().st_size)


def _run(path: Path, folder: Path, label: str, chosen: str, beside: Path | None) -> None:
    clocks = Clocks.of(path.stat().st_size)
    arguments = (str(path), str(folder), chosen, str(beside or ""))
    broke = run("explorer.models.reader.__main__", arguments, folder, clocks)
    if broke is not None:
        raise _cannot(label, broke)


def _cannot(label: str, why: str, fix: str = SAVE_AGAIN) -> ExplorerError:
    return ExplorerError(f"{label} cannot be opened.", why=why, fix=fix)


def _answer(folder: Path, label: str, n_bytes: int | None = None) -> FileContents:
    """What the reader left; ``n_bytes``, the size of the file, bounds how much that may be."""
    try:
        report = answer.report_in(folder)
        refusal = answer.refusal_in(report)
        return _contents(report, folder, n_bytes) if refusal is None else _refused(label, *refusal)
    except (OSError, ValueError, SafetensorError):
        logging.getLogger(__name__).exception("The reader's answer for %r cannot be used.", label)
        raise _cannot(label, "The reader gave no usable answer.") from None


def _refused(label: str, why: str, fix: str) -> FileContents:
    raise _cannot(label, why, fix)


def _contents(report: Mapping[str, object], folder: Path, n_bytes: int | None) -> FileContents:
    names = answer.texts(report.get("names"))
    aliases = {name: answer.text(first) for name, first in answer.entries(report.get("aliases")).items()}
    metadata = {name: answer.text(value) for name, value in answer.entries(report.get("metadata")).items()}
    stored = apart(_travelled(folder / TENSORS, n_bytes), report.get("joined"))
    if len(set(names)) != len(names) or stored.keys() != {f"t{i}" for i in range(len(names))}:
        raise answer.UnusableError("the tensors are not those of the report")
    if not set(aliases.values()) <= set(names) or not aliases.keys().isdisjoint(names):
        raise answer.UnusableError("a tied weight is none")
    return FileContents(
        tensors={name: stored[f"t{i}"] for i, name in enumerate(names)},
        aliases=aliases,
        repairs=answer.texts(report.get("repairs")),
        oddities=answer.texts(report.get("oddities")),
        facts=answer.facts(report.get("facts")),
        metadata=metadata,
        extra=answer.entries(report.get("extra")),
        kind=answer.text(report.get("kind")),
    )


def _travelled(path: Path, n_bytes: int | None) -> dict[str, Tensor]:
    most = opened_bytes(path.stat().st_size if n_bytes is None else n_bytes)
    if path.is_symlink() or path.stat().st_size > most + MAX_HEADER_BYTES:
        raise answer.UnusableError("the tensors are larger than the file may open to")
    return load(path.read_bytes())
