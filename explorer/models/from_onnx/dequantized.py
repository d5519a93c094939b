"""Weights that stand in an ONNX file as whole numbers with a scale, as the numbers that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_STEP, _ENDING = "DequantizeLinear", "_DequantizeLinear_Output"
_KINDS = ("int8", "uint8", "int16", "uint16", "int32")


def dequantize(model: ModelProto) -> None:
    """Put the number that ONNX Runtime computes with in the place of each whole one, in the graph itself.

    A convolution or product then reads weights as in a file that was never quantized, so that they are a layer with
    counted zeros. Steps between layers, which round activations, stay.
    """
    graph = model.graph
    held = {tensor.name: tensor for tensor in graph.initializer}
    ends = {value.name for value in graph.output}
    used = {name for node in graph.node for name in (*node.input, *node.output)} | set(held) | ends
    names: dict[str, str] = {}
    kept: list[NodeProto] = []
    for node in graph.node:
        value = None if node.output[0] in ends else _value(node, held)
        if value is None:
            kept.append(node)
            continue
        name = node.output[0].removesuffix(_ENDING)
        name = names[node.output[0]] = node.output[0] if name in used else name
        graph.initializer.append(_tensor(value, name))
    _replace(model, kept, names)


def _value(node: NodeProto, held: dict[str, TensorProto]) -> np.ndarray | None:
    """What the step gives; None for another step, for one of activations, and where scales stand for blocks."""
    from onnx import helper, numpy_helper

    if node.op_type != _STEP or node.domain or not all(name in held or not name for name in node.input):
        return None
    about = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    whole, scale, *more = (numpy_helper.to_array(held[name]) for name in node.input if name)
    if about.get("block_size") or str(whole.dtype) not in _KINDS or scale.dtype != np.float32 or scale.ndim > 1:
        return None
    axis = int(about.get("axis", 1))
    shape = [-1 if i == axis % whole.ndim else 1 for i in range(whole.ndim)] if scale.ndim and scale.size > 1 else []
    zero = more[0].astype(np.int64) if more else np.zeros(scale.shape, np.int64)
    difference = whole.astype(np.int64) - zero.reshape(shape)
    return np.asarray(difference.astype(np.float32) * scale.reshape(shape), np.float32)


def _tensor(value: np.ndarray, name: str) -> TensorProto:
    from onnx import numpy_helper

    return numpy_helper.from_array(value, name)


def _replace(model: ModelProto, nodes: list[NodeProto], names: dict[str, str]) -> None:
    """Keep these steps alone, which read what was put in the place of the others."""
    graph = model.graph
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    for node in copies:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
    del graph.node[:]
    graph.node.extend(copies)
    read = {name for node in copies for name in node.input}
    unread = [tensor for tensor in graph.initializer if tensor.name not in read]
    for tensor in unread:
        graph.initializer.remove(tensor)
