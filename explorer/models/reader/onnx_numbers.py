"""Weights of an ONNX graph in files beside it: read by plain names, inside its folder, to their exact length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.errors import ExplorerError
from explorer.types.files import paths
from explorer.types.files.reading.limits import MODEST_BYTES
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto


def external(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor of the graph whose numbers stand elsewhere."""
    from onnx import TensorProto

    return (tensor for tensor in _all(model.graph) if tensor.data_location == TensorProto.EXTERNAL)


def _all(graph: GraphProto) -> Iterator[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                yield from _all(inner)


def inlined(model: ModelProto, folder: Path | None) -> dict[str, str]:
    """Put the numbers from the files beside the graph into it; what was left out, and why.

    Without a folder nothing is opened. RefusedError where it is more than a graph of weights may bring.
    """
    left_out: dict[str, str] = {}
    total = 0
    for tensor in external(model):
        if folder is None:
            left_out[tensor.name] = "an upload has no folder"
            continue
        try:
            content = _content(tensor, folder)
        except (ExplorerError, OSError, ValueError) as error:
            left_out[tensor.name] = error.what.rstrip(".") if isinstance(error, ExplorerError) else str(error)
            continue
        total += len(content)
        if total > MODEST_BYTES:
            why = f"Its weights in other files take more than {MODEST_BYTES / 2**20:.0f} MiB."
            raise RefusedError(why, "Save it as one file, or convert its weights to safetensors.")
        tensor.raw_data = content
        del tensor.external_data[:]
        tensor.ClearField("data_location")
    return left_out


def _content(tensor: TensorProto, folder: Path) -> bytes:
    from onnx import helper

    about = {entry.key: entry.value for entry in tensor.external_data}
    location = about.get("location", "")
    if not location or location != Path(location).name or location.startswith("."):
        raise ValueError("it names a place outside its folder, which is not opened")
    width = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    n_bytes = math.prod(tensor.dims) * width
    offset, length = int(about.get("offset") or 0), int(about.get("length") or n_bytes)
    if length != n_bytes or offset < 0 or n_bytes > MODEST_BYTES or any(size < 0 for size in tensor.dims):
        raise ValueError("its length is not that of its shape")
    with paths.opened(folder / location, within=folder) as source:
        source.file.seek(offset)
        content = source.file.read(n_bytes)
    if len(content) != n_bytes:
        raise ValueError("the file beside it ends too early")
    return content
