"""Weights of a network put back into the ONNX graph that they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.models.from_onnx.origin import Origin

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

    from explorer.models.from_onnx.converted import Converted


def _stored(model: ModelProto) -> Iterator[tuple[str, TensorProto]]:
    """Every tensor that stands in the graph, by the name that steps read it under."""
    for tensor in model.graph.initializer:
        yield tensor.name, tensor
    for node in model.graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value" and node.output:
                yield node.output[0], attribute.t


def holds_all(model: ModelProto, converted: Converted) -> bool:
    """Whether every weight of the network stands in this graph with the same numbers."""
    from onnx import numpy_helper

    stored = dict(_stored(model))
    tensors = converted.module.state_dict()
    for name, origin in converted.origins.items():
        if origin.name not in stored:
            return False
        value = torch.from_numpy(numpy_helper.to_array(stored[origin.name]).copy())
        if not torch.equal(tensors[name].detach().cpu(), origin.read(value)):
            return False
    return True


def stripped(model: ModelProto, converted: Converted) -> ModelProto:
    """The graph without the numbers of the network's weights, which the network holds itself."""
    names = {origin.name for origin in converted.origins.values()}
    for name, tensor in _stored(model):
        if name in names:
            for kind in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(kind)
    return model


def filled(content: bytes, origins: Mapping[str, Origin], tensors: Mapping[str, Tensor]) -> bytes:
    """The file with these tensors in their places, in the types that it had. ExplorerError where one has none."""
    import onnx
    from onnx import numpy_helper

    model = onnx.ModelProto.FromString(content)
    stored = dict(_stored(model))
    written: dict[str, Tensor] = {}
    for name, origin in origins.items():
        place = stored.get(origin.name)
        if place is None:
            raise ExplorerError("This file has no place for its weights any more.", fix="Open it again.")
        if origin.name not in written:
            written[origin.name] = torch.zeros(tuple(place.dims), dtype=tensors[name].dtype)
        origin.write(tensors[name], written[origin.name])
    for name, value in written.items():
        place = stored[name]
        array = value.numpy().astype(onnx.helper.tensor_dtype_to_np_dtype(place.data_type), copy=False)
        place.CopyFrom(numpy_helper.from_array(array, place.name))
    return bytes(model.SerializeToString())
