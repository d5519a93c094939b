"""The weights of an ONNX file: its stored tensors, without running or following anything in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import torch
from torch import Tensor

from explorer.models.reader.formats import OPEN_THE_SOURCE
from explorer.models.reader.onnx_numbers import inlined
from explorer.text.names import clean, listed
from explorer.types.files.reading.limits import MAX_TENSORS
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto

_DAMAGED = RefusedError("It is an ONNX file that is damaged or cut off.", "Download or export it again.")


def parsed(file: BinaryIO) -> ModelProto:
    """What the file says; RefusedError where it is damaged, or onnx is not installed."""
    try:
        import onnx
    except ImportError:
        fix = "Install onnx beside the explorer to see its weights, or open the network that it was exported from."
        raise RefusedError("It is an ONNX file.", fix) from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(file.read())
    except Exception:  # noqa: BLE001  protobuf's own errors have no common class that can be named without it
        raise _DAMAGED from None
    return model


def read_onnx(file: BinaryIO, folder: Path | None = None) -> tuple[dict[str, Tensor], list[str]]:
    """(tensors by name, what to know of them); RefusedError where there are none.

    Tensors that stand in other files are read from ``folder``, which holds the file, and from nowhere else.
    """
    model = parsed(file)
    away = inlined(model, folder)
    stored = [*model.graph.initializer, *_constants(model.graph)]
    if not stored or len(stored) > MAX_TENSORS:
        raise RefusedError("It is an ONNX file without weights that can be read.", OPEN_THE_SOURCE)
    tensors = {tensor.name: _numbers(tensor) for tensor in stored if not tensor.external_data}
    notes = [f"Left out, as they stand in other files: {listed(list(away))}."] if away else []
    if odd := [name for name, tensor in tensors.items() if tensor is None]:
        notes.append(f"Left out, because they hold no plain numbers: {listed(odd)}.")
    return {clean(name, 200): tensor for name, tensor in tensors.items() if tensor is not None}, notes


def _constants(graph: GraphProto) -> list[TensorProto]:
    """Tensors that are steps of their own, under the name of what they give, and those inside branches."""
    constants = []
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Constant" and attribute.name == "value" and attribute.t.dims:
                attribute.t.name = node.output[0] if node.output else attribute.t.name
                constants.append(attribute.t)
            if attribute.HasField("g"):
                constants += [*attribute.g.initializer, *_constants(attribute.g)]
    return constants


def _numbers(tensor: TensorProto) -> Tensor | None:
    """The numbers of one tensor; None for texts and types that torch has no name for."""
    from onnx import numpy_helper

    try:
        return torch.from_numpy(numpy_helper.to_array(tensor).copy())
    except TypeError:
        return None
    except Exception:  # noqa: BLE001  a damaged file may raise anything at all
        raise _DAMAGED from None
