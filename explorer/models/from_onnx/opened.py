"""An ONNX file as a model: runnable where torch gives what ONNX Runtime gives, else its weights with the reason."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import torch

from explorer.errors import ExplorerError
from explorer.models.assemble import Weights, weights_only
from explorer.models.from_onnx.converted import convert
from explorer.models.libraries.as_model import Built, as_model
from explorer.text.names import clean
from explorer.types import Inputs, LoadedModel
from explorer.types.files.reading import answer
from explorer.types.files.reading.launch import run
from explorer.types.files.reading.limits import MODEST_BYTES, opened_bytes
from explorer.types.files.reading.refusal import RefusedError
from explorer.types.files.reading.scratch import scratch
from explorer.types.inputs import as_inputs

_NEEDED = ("onnx", "onnxruntime", "onnx2fx")
_INSTALL = "pip install 'pruning-explorer[onnx]'"


@dataclass(frozen=True)
class OnnxFile:
    """Where a file can be read, the output that was asked for, and the folder beside it (None for an upload)."""

    path: Path
    output: str = ""
    beside: Path | None = None


@dataclass(frozen=True, eq=False)
class _Tried:
    """What the trial left: the prepared graph, the original one, and what was measured."""

    prepared: bytes
    original: bytes
    output: str
    batch: int | None
    difference: float
    opened: tuple[str, ...]


def opened(file: OnnxFile, weights: Weights) -> LoadedModel:
    """The model; ``weights`` is what the reader found, and all there is where it cannot be run.

    ExplorerError for an output that the file does not have, and for one that no longer opens as it did in its trial.
    """
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if absent:
        why = f"To run an ONNX file, {' and '.join(absent)} must be installed: {_INSTALL}."
        return _shown(weights, why)
    with scratch() as folder:
        tried = _try(file, folder, weights.label)
    return _shown(weights, tried) if isinstance(tried, str) else _runnable(tried, weights)


def _shown(weights: Weights, why: str) -> LoadedModel:
    note = "It is an ONNX file: its weights were read, and it does not run here."
    return weights_only(replace(weights, repairs=(*weights.repairs, note)), why)


def _try(file: OnnxFile, folder: Path, label: str) -> _Tried | str:
    """What the trial left, or why it cannot be run."""
    from explorer.models.from_onnx.trial import ORIGINAL, PREPARED, clocks_of

    n_bytes = file.path.stat().st_size + (MODEST_BYTES if file.beside else 0)
    arguments = (str(file.path), str(folder), file.output, str(file.beside or ""))
    broke = run("explorer.models.from_onnx.trial", arguments, folder, clocks_of(n_bytes))
    if broke is not None:
        return f"It was tried in a process of its own, and that ended early. {broke}"
    try:
        report = answer.report_in(folder)
        refusal = answer.refusal_in(report)
        if refusal is None:
            return _tried(report, _content(folder / PREPARED, n_bytes), _content(folder / ORIGINAL, n_bytes))
    except (OSError, ValueError):
        logging.getLogger(__name__).exception("The answer of the trial of %r cannot be used.", label)
        return "Its trial gave no usable answer."
    if report.get("no_such_output") is True:
        raise ExplorerError(f"{label} cannot be opened so.", why=refusal[0], fix=refusal[1])
    return " ".join(refusal)


def _content(path: Path, n_bytes: int) -> bytes:
    if path.is_symlink() or path.stat().st_size > opened_bytes(n_bytes):
        raise answer.UnusableError("a graph is larger than the file may open to")
    return path.read_bytes()


def _tried(report: Mapping[str, object], prepared: bytes, original: bytes) -> _Tried:
    difference = report.get("difference")
    if not isinstance(difference, float):
        raise answer.UnusableError("a difference is none")
    batch, opened_sizes = answer.whole(report.get("batch")) or None, answer.texts(report.get("opened"))
    return _Tried(prepared, original, answer.text(report.get("output")), batch, difference, opened_sizes)


def _runnable(tried: _Tried, weights: Weights) -> LoadedModel:
    """The same conversion here: it did no harm there, and gave what ONNX Runtime gives."""
    import onnx

    from explorer.models.from_onnx.declared import inputs_of

    model = onnx.ModelProto.FromString(tried.prepared)
    try:
        converted, declared = convert(model, tried.batch), inputs_of(model.graph)
    except RefusedError as refusal:
        raise ExplorerError(f"{weights.label} cannot be opened.", why=refusal.why, fix=refusal.fix) from None
    generator = torch.Generator().manual_seed(0)
    samples = {converted.inputs[value.name]: value.generated(1, generator) for value in declared}
    example: Inputs = next(iter(samples.values())) if len(samples) == 1 else as_inputs(samples)
    place = {name: astuple(origin) for name, origin in converted.origins.items()}
    about = {"output": tried.output, "batch": tried.batch, "inputs": dict(converted.inputs), "origins": place}
    structure = hashlib.sha256(tried.prepared).hexdigest()[:16]
    built = Built(
        module=converted.module,
        example=example,
        label=weights.label,
        source="onnx",
        repairs=(*weights.repairs, *_said(tried)),
        oddities=weights.oddities,
        meta={**weights.meta, "source": "onnx", "onnx": about, "structure": structure},
    )
    return replace(as_model(weights.address, built), original=tried.original)


def _said(tried: _Tried) -> list[str]:
    """What was done to the file, one sentence each."""
    notes = [
        f"It is an ONNX file, converted to torch: its output {clean(tried.output)!r} differs from that of ONNX Runtime "
        f"by at most {tried.difference:.1e} of the largest number in it."
    ]
    if tried.batch is not None:
        notes.append(
            f"The file takes {tried.batch} at a time; here any number of samples goes in, "
            "with the same answers as so many at a time."
        )
    if tried.opened:
        notes.append(f"It leaves sizes open ({clean('; '.join(tried.opened), 200)}); generated inputs are of one size.")
    return notes
