"""A file of weights, by path or by upload; with an architecture it runs, without one it is shown."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.models import beside, lineage, slim, trained
from explorer.models.architectures import ARCHITECTURES, Architecture
from explorer.models.assemble import Weights, assemble, fitting, weights_only
from explorer.models.factory import Factory
from explorer.models.from_onnx.opened import OnnxFile, opened
from explorer.models.libraries.networks import in_network, library_of
from explorer.models.named import followed, sentence
from explorer.models.reader import FileContents, read_file
from explorer.models.request import ModelRequest
from explorer.text.names import clean, file_name, listed
from explorer.types import LoadedModel, tensors_digest
from explorer.types.aliases import JsonObject
from explorer.types.files import paths
from explorer.types.files.reading.limits import MAX_FILE_BYTES
from explorer.types.files.reading.scratch import scratch

SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt", ".tar", ".onnx", ".gguf")
_OUTPUT = "output:"
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.")


@dataclass(frozen=True)
class WeightFile:
    """A .safetensors, .pt, .pth, .th, .bin or .gguf file, read in a process of its own."""

    key: ClassVar[str] = "file"
    form: ClassVar[str] = (
        "path/to/weights.safetensors (or .pt, .pth, .th, .bin, .gguf) with an architecture, or path/to/net.onnx"
    )

    def owns(self, address: str) -> bool:
        """Whether something is at this path, or the address ends like a file of weights."""
        path, _ = paths.with_part(address)
        if path.lower().endswith(SUFFIXES):
            return True
        try:
            return paths.real(path).exists()
        except ExplorerError:
            return False

    def load(self, request: ModelRequest) -> LoadedModel:
        """The model in the file; weights-only when no architecture is given or found."""
        path, chosen = paths.with_part(request.address)
        with paths.opened(path) as source:
            _check_index(source.path.name)
            _check_size(source)
            label = clean(source.path.name)
            beside = source.path.parent
            contents = _of_a_part(source.path.name, read_file(source.elsewhere, label, chosen, beside))
            if contents.kind == "onnx" and request.arch is None:
                about = {"source": "file", "path": str(source.path), "label": label}
                return opened(OnnxFile(source.elsewhere, chosen, beside), _weights(request, contents, about))
        hint = _inside(contents)
        if not hint:
            hint, contents = _of_these(source.path, contents)
        meta = {"source": "file", "path": str(source.path), "label": label}
        return _opened(request, contents, hint, meta)


def open_upload(
    data: bytes, filename: str, arch: str | None = None, arch_args: JsonObject | None = None
) -> LoadedModel:
    """The model in an uploaded file; ``filename`` is only ever shown. Raises ExplorerError.

    In the place of an architecture ``output:NAME`` says which output of an ONNX file is measured.
    """
    label, output = file_name(filename), ""
    if arch is not None and arch.startswith(_OUTPUT):
        output, arch = arch.removeprefix(_OUTPUT), None
    request = ModelRequest(f"upload:{label}", arch, arch_args or {})
    request.architecture()  # an unknown architecture is refused before any time is spent on the file
    about = {"source": "upload", "label": label}
    with scratch() as folder:
        path = folder / "upload.bin"  # a name of ours
        path.write_bytes(data)
        contents = _of_a_part(label, read_file(path, label))
        if contents.kind == "onnx" and arch is None:
            return opened(OnnxFile(path, output), _weights(request, contents, about))
    return _opened(request, contents, _inside(contents), about)


def _weights(request: ModelRequest, contents: FileContents, meta: JsonObject) -> Weights:
    """What was read of a file that says nothing more of itself."""
    return Weights(
        request.address,
        str(meta["label"]),
        contents.tensors,
        contents.aliases,
        contents.repairs,
        contents.oddities,
        meta={**meta, "facts": dict(contents.facts)},
    )


def _check_index(name: str) -> None:
    if name.lower().endswith(".index.json"):
        raise ExplorerError(
            f"{clean(name)!r} holds no weights.",
            why="It is the index of a model whose weights are split into several files.",
            fix="Open one of the parts it lists, or save the model as one file.",
        )


def _of_a_part(name: str, contents: FileContents) -> FileContents:
    """A part of a model that is split into several files says so."""
    part = _PART.search(name)
    if part is None or int(part[2]) < 2:
        return contents
    note = f"This is part {int(part[1])} of {int(part[2])} of a model: the weights of the other parts are not counted."
    return replace(contents, oddities=(*contents.oddities, note))


def _check_size(source: paths.OpenFile) -> None:
    n_bytes = os.fstat(source.file.fileno()).st_size
    if n_bytes > MAX_FILE_BYTES:
        raise ExplorerError(
            f"{clean(source.path.name)!r} is too large.",
            why=f"It has {n_bytes / 2**30:.1f} GiB; at most {MAX_FILE_BYTES / 2**30:.0f} GiB are read.",
            fix="Convert it to float16, or split it.",
        )


def _opened(request: ModelRequest, contents: FileContents, hint: JsonObject, meta: JsonObject) -> LoadedModel:
    data, not_followed = followed(hint.get("data"))
    spec = hint.get("spec")
    weights = Weights(
        address=request.address,
        label=str(meta["label"]),
        tensors=contents.tensors,
        aliases=contents.aliases,
        repairs=contents.repairs,
        oddities=(*contents.oddities, *map(sentence, not_followed.values())),
        data=data,
        extra=contents.extra,
        meta={
            **meta,
            "facts": dict(contents.facts),
            **({"spec": spec} if isinstance(spec, dict) else {}),
            **({"classes": hint["classes"]} if slim.is_class_names(hint.get("classes")) else {}),
            **(lineage.said_by(hint, tensors_digest(contents.tensors)) if hint else {}),
            **trained.said_by(hint),
            **not_followed,
        },
    )
    arch = request.arch or hint.get("arch")
    if isinstance(arch, str) and (source := library_of(arch)) is not None:
        return in_network(source, arch.partition(":")[2], weights)
    if request.arch is not None and ":" in request.arch:
        return Factory().pour(request, weights)
    if slim.is_slim(hint) and request.arch is None:
        return slim.opened(weights, hint)
    architecture, unknown = _asked(request, hint) or _hinted(hint), hint.get("arch")
    if architecture is None:
        return weights_only(weights, _why(weights, unknown))
    return assemble(weights, architecture)


def _asked(request: ModelRequest, hint: JsonObject) -> Architecture | None:
    """The architecture that was asked for; one that the file names too has the widths that the file says."""
    same = request.arch == hint.get("arch") and not request.arch_args
    return (_hinted(hint) if same else None) or request.architecture()


def _why(weights: Weights, unknown: object) -> str:
    named = f"It names the architecture {clean(str(unknown))!r}, which is not known here. " if unknown else ""
    fits = fitting(weights.tensors)
    fix = f"It fits {listed(fits)}: choose that." if fits else "Choose the architecture it was saved from."
    return f"{named}A file of weights does not say how they are connected, so accuracy cannot be measured. {fix}"


def _hinted(hint: JsonObject) -> Architecture | None:
    """The architecture the file itself names, when it is one of ours with arguments we accept."""
    key, arguments = hint.get("arch"), hint.get("arch_args") or {}
    if not isinstance(key, str) or key not in ARCHITECTURES.members or not isinstance(arguments, dict):
        return None
    try:
        return ARCHITECTURES.from_json({**arguments, "key": key})
    except ExplorerError:
        return None


def _inside(contents: FileContents) -> JsonObject:
    """What the safetensors header says about the model, if this project wrote it."""
    return slim.description(contents.metadata)


def _of_these(path: Path, contents: FileContents) -> tuple[JsonObject, FileContents]:
    """The description from beside the file, unless it is unusable or of other weights; then a note takes its place."""
    hint, note = beside.description(path)
    if hint.get("weights") is not None and hint["weights"] != tensors_digest(contents.tensors):
        hint, note = {}, "The description beside it is of other weights, and was not used."
    return hint, replace(contents, oddities=(*contents.oddities, note)) if note else contents
