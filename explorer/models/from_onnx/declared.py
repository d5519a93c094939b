"""What an ONNX graph says of its inputs and outputs, and generated inputs of that kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from explorer.text.names import clean, listed
from explorer.types.files.reading.refusal import RefusedError

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto, ValueInfoProto

_LENGTH, _EDGE = 16, 64  # of sequences and pictures whose size the file leaves open
_MOST_NUMBERS = 2**26  # in one sample
_THROUGH = {
    "Cast",
    "Identity",
    "Reshape",
    "Unsqueeze",
    "Squeeze",
    "Flatten",
    "Transpose",
    "Clip",
    "Expand",
    "Tile",
    "Slice",
}
_WEIGHTS_ONLY = "Its weights are shown; give ex.load the module that it was exported from to run it."


class NoSuchOutputError(RefusedError):
    """An output was named that the graph does not have."""


@dataclass(frozen=True)
class Declared:
    """One input: its name, its type, the sizes of one sample, the number of samples where that is fixed.

    ``opened``: which sizes the file left open. ``top``: whole numbers are below it.
    """

    name: str
    dtype: torch.dtype
    sample: tuple[int, ...]
    batch: int | None
    opened: tuple[str, ...] = ()
    top: int = 2

    def generated(self, n: int, generator: torch.Generator) -> Tensor:
        """So many samples: standard normal, or whole numbers that the network knows; masks are all ones."""
        shape = (n, *self.sample)
        if self.dtype.is_floating_point:
            return torch.randn(shape, generator=generator).to(self.dtype)
        if self.dtype == torch.bool or "mask" in self.name.lower():
            return torch.ones(shape, dtype=self.dtype)
        return torch.randint(0, max(1, self.top), shape, generator=generator).to(self.dtype)


def inputs_of(graph: GraphProto) -> list[Declared]:
    """The inputs; RefusedError where they are no batch of samples."""
    held = {tensor.name for tensor in graph.initializer}
    inputs = [_declared(graph, value) for value in graph.input if value.name not in held]
    if not inputs:
        raise RefusedError("Its graph takes no input.", _WEIGHTS_ONLY)
    if len({value.batch for value in inputs}) > 1:
        sizes = ", ".join(f"{clean(v.name)}: {v.batch or 'open'}" for v in inputs)
        raise RefusedError(f"Its inputs have no common number of samples ({sizes}).", _WEIGHTS_ONLY)
    return inputs


def _declared(graph: GraphProto, value: ValueInfoProto) -> Declared:
    from onnx2fx.utils.dtype import onnx_dtype_to_torch

    dims = value.type.tensor_type.shape.dim
    if not value.type.HasField("tensor_type") or not dims:
        raise RefusedError(f"Its input {clean(value.name)!r} is no batch of samples.", _WEIGHTS_ONLY)
    dtype = onnx_dtype_to_torch(value.type.tensor_type.elem_type)
    if not isinstance(dtype, torch.dtype):
        raise RefusedError(f"Its input {clean(value.name)!r} is of a type that torch does not have.", _WEIGHTS_ONLY)
    sizes = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims]
    usual = _EDGE if len(dims) >= 4 else _LENGTH
    opened = [dim.dim_param or str(i) for i, dim in enumerate(dims) if i and sizes[i] is None]
    sample = tuple(size or usual for size in sizes[1:])
    if torch.Size(sample).numel() > _MOST_NUMBERS:
        raise RefusedError(
            f"One sample of {clean(value.name)!r} has more than {_MOST_NUMBERS:,} numbers.", _WEIGHTS_ONLY
        )
    top = 2 if dtype.is_floating_point else _top(graph, value.name)
    return Declared(value.name, dtype, sample, sizes[0], tuple(map(clean, opened)), top)


def _top(graph: GraphProto, name: str) -> int:
    """How many whole numbers an input may name, by the tables it looks up and the classes it is compared with."""
    held = {tensor.name: tensor for tensor in graph.initializer}
    values, tops = {name}, []
    for node in graph.node:
        reads = set(node.input)
        if node.op_type in _THROUGH and node.input and node.input[0] in values:
            values.update(node.output)
        elif node.op_type == "Gather" and node.input[1] in values and node.input[0] in held:
            tops.append(int(held[node.input[0]].dims[0]))
        elif node.op_type == "OneHot" and node.input[0] in values and node.input[1] in held:
            tops.append(_largest(held[node.input[1]]))
        elif node.op_type == "Equal" and reads & values and (others := reads & held.keys()):
            tops.append(_largest(held[others.pop()]) + 1)
    return min(tops, default=2)


def _largest(tensor: TensorProto) -> int:
    from onnx import numpy_helper

    return int(numpy_helper.to_array(tensor).max(initial=1))


def chosen_output(graph: GraphProto, choice: str) -> str:
    """The output that is measured; RefusedError, with their names, where that has to be asked."""
    names = [value.name for value in graph.output]
    if choice and choice not in names:
        raise NoSuchOutputError(f"It has no output {clean(choice)!r}.", f"It gives {listed(names)}: name one of them.")
    if len(names) > 1 and not choice:
        name = clean(names[0])
        fix = f"Name it: FILE.onnx#{name}, in Python output={name!r}, for an upload the architecture output:{name}."
        raise RefusedError(f"It gives {len(names)} outputs ({listed(names)}), and one of them is measured.", fix)
    return choice or names[0]


def needed_for(graph: GraphProto, output: str) -> list[NodeProto]:
    """The steps that an output is made from, in their order."""
    makers = {name: node for node in graph.node for name in node.output if name}
    needed: set[int] = set()
    queue = [output]
    while queue:
        node = makers.get(queue.pop())
        if node is not None and id(node) not in needed:
            needed.add(id(node))
            queue += _reads(node)
    return [node for node in graph.node if id(node) in needed]


def _reads(node: NodeProto) -> list[str]:
    names = [name for name in node.input if name]
    for attribute in node.attribute:
        for graph in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
            names += [name for inner in graph.node for name in _reads(inner)]
            names += [value.name for value in graph.output]
    return names


def named(inputs: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Inputs by the names that the network has for them."""
    return {names[name]: value for name, value in inputs.items() if name in names}
