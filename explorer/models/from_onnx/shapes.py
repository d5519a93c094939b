"""Steps that move numbers, and the sizes they go by, as functions of torch with plain numbers where known."""

from __future__ import annotations

import operator
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import fx

from explorer.models.from_onnx.lifting import Lifting, attributes, given, pairs
from explorer.models.libraries.imported import Foreign

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
_ON_SIZES: dict[str, Callable[[int, int], int]] = {"Add": operator.add, "Sub": operator.sub, "Mul": operator.mul}


def constant(b: Lifting, node: Foreign) -> None:
    """A tensor that stands in the graph: a step only where somebody needs it."""
    about = attributes(node)
    if "value" in about:
        b.constants[node.output[0]] = b.load_tensor(about["value"])
    for name, dtype in (("int", torch.int64), ("float", torch.float32)):
        for key in (f"value_{name}", f"value_{name}s"):
            if key in about:
                b.constants[node.output[0]] = torch.tensor(about[key], dtype=dtype)


def same(b: Lifting, node: Foreign) -> fx.Node | None:
    """A step that changes nothing."""
    name = node.input[0]
    if name in b.whole:
        b.whole[node.output[0]] = b.whole[name]
        return None
    return b.get_value(name)


def shape(b: Lifting, node: Foreign) -> None:
    """The sizes of a value."""
    dims, about = b.dims(node.input[0]), attributes(node)
    if dims is not None:
        places = range(len(dims))[about.get("start", 0) : about.get("end")]
        b.known(node, [b.size(node.input[0], place) for place in places])


def reshape(b: Lifting, node: Foreign) -> fx.Node | None:
    """Other sizes for the same numbers; the number of samples stays open."""
    asked, name = b.numbers(given(node, 1)), node.input[0]
    if asked is None or (0 in asked and attributes(node).get("allowzero", 0)):
        return None
    if name in b.whole:
        return b.known(node, b.whole[name].values, scalar=not asked) if asked in ([], [-1], [1]) else None
    dims = b.dims(name)
    sizes = [b.size(name, i) if size == 0 else size for i, size in enumerate(asked)]
    if sizes and b.batch is not None and sizes[0] == b.batch and dims and dims[0] == b.batch:
        sizes[0] = b.size(name, 0)
    if len(sizes) == 2 and -1 in sizes[1:] and dims and len(dims) > 1 and _is_size(sizes[0]):
        return b.plain(torch.flatten, b.get_value(name), 1)
    return b.plain(torch.reshape, b.get_value(name), tuple(sizes))


def _is_size(value: int | fx.Node) -> bool:
    return isinstance(value, fx.Node) and value.target == "size" and value.args[1:] == (0,)


def flatten(b: Lifting, node: Foreign) -> fx.Node | None:
    """All but the samples in one dimension."""
    dims = b.dims(node.input[0])
    if attributes(node).get("axis", 1) != 1 or dims is None or len(dims) < 2:
        return None
    return b.plain(torch.flatten, b.get_value(node.input[0]), 1)


def transpose(b: Lifting, node: Foreign) -> fx.Node | None:
    """Other orders of dimensions."""
    order, dims = attributes(node).get("perm"), b.dims(node.input[0])
    if order is None and dims is not None:
        order = list(range(len(dims)))[::-1]
    return None if order is None else b.plain(torch.permute, b.get_value(node.input[0]), tuple(order))


def _axes(b: Lifting, node: Foreign, place: int = 1) -> list[int] | None:
    stated = attributes(node).get("axes")
    return list(stated) if stated is not None else b.fixed(given(node, place)) if given(node, place) else None


def squeeze(b: Lifting, node: Foreign) -> fx.Node | None:
    """Without dimensions of size one."""
    axes, name, dims = _axes(b, node), node.input[0], b.dims(node.input[0])
    if name in b.whole:
        return b.known(node, b.whole[name].values, scalar=True)
    if axes is None or (dims is None and min(axes) < 0 and len(axes) > 1):
        return None
    x = b.get_value(name)
    for axis in sorted((a % len(dims) if dims else a for a in axes), reverse=True):
        x = b.plain(torch.squeeze, x, axis)
    return x


def unsqueeze(b: Lifting, node: Foreign) -> fx.Node | None:
    """With more dimensions of size one."""
    axes, name, dims = _axes(b, node), node.input[0], b.dims(node.input[0])
    if name in b.whole and axes == [0]:
        return b.known(node, b.whole[name].values)
    if axes is None or (dims is None and min(axes) < 0):
        return None
    total, x = len(dims or ()) + len(axes), b.get_value(name)
    for axis in sorted(a % total if a < 0 else a for a in axes):
        x = b.plain(torch.unsqueeze, x, axis)
    return x


def concat(b: Lifting, node: Foreign) -> fx.Node | None:
    """Values side by side, or known sizes in a row."""
    axis = attributes(node).get("axis", 0)
    parts = [b.numbers(name) for name in node.input]
    if axis == 0 and any(name in b.whole for name in node.input) and all(part is not None for part in parts):
        return b.known(node, [value for part in parts for value in part or ()])
    return b.plain(torch.cat, [b.get_value(name) for name in node.input], axis)


def split(b: Lifting, node: Foreign) -> list[fx.Node] | None:
    """Parts of a value along a dimension."""
    about, dims = attributes(node), b.dims(node.input[0])
    axis = about.get("axis", 0)
    sizes = about.get("split") or (b.fixed(node.input[1]) if given(node, 1) else None)
    if sizes is None and dims is not None and (whole := dims[axis]) is not None:
        each = -(-whole // len(node.output))
        sizes = [min(each, whole - i * each) for i in range(len(node.output))]
    if sizes is None:
        return None
    parts = b.plain(torch.split, b.get_value(node.input[0]), list(sizes), axis)
    return [b.plain(operator.getitem, parts, i) for i in range(len(node.output))]


def slicing(b: Lifting, node: Foreign) -> fx.Node | None:
    """A part of a value, with known ends."""
    about, name = attributes(node), node.input[0]
    if "starts" in about:
        starts, ends, axes, steps = about["starts"], about["ends"], about.get("axes"), None
    else:
        starts, ends = b.fixed(node.input[1]), b.fixed(node.input[2])
        axes, steps = (b.fixed(given(node, i)) if given(node, i) else None for i in (3, 4))
        if any(given(node, i) and value is None for i, value in ((3, axes), (4, steps))):
            return None
    if starts is None or ends is None:
        return None
    axes, steps = list(axes or range(len(starts))), list(steps or [1] * len(starts))
    values, dims = b.numbers(name), b.dims(name)
    if name in b.whole and values is not None and axes == [0] and steps[0] > 0:
        return b.known(node, values[starts[0] : ends[0] : steps[0]])
    if min(steps) <= 0 or (dims is None and min(axes) < 0):
        return None
    axes = [axis % len(dims) if dims else axis for axis in axes]
    parts = [slice(None)] * (max(axes) + 1)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        parts[axis] = slice(start, end if end < 2**31 - 1 else None, None if step == 1 else step)
    return b.plain(operator.getitem, b.get_value(name), tuple(parts))


def pad(b: Lifting, node: Foreign) -> fx.Node | None:
    """More places at the borders."""
    about, dims = attributes(node), b.dims(node.input[0])
    pads = about.get("pads") or (b.fixed(node.input[1]) if given(node, 1) else None)
    mode, value = _MODES.get(about.get("mode", "constant")), about.get("value", 0.0)
    if given(node, 2):
        filling = b.constant(node.input[2])
        value = None if filling is None else filling.item()
    if pads is None or mode is None or value is None or given(node, 3) or dims is None or min(pads) < 0:
        return None
    each = pairs(pads)
    while each and each[0] == (0, 0):
        each = each[1:]
    flat = [n for pair in reversed(each) for n in pair]
    return b.plain(F.pad, b.get_value(node.input[0]), flat, mode, value) if flat else b.get_value(node.input[0])


def cast(b: Lifting, node: Foreign) -> fx.Node | None:
    """Another type of numbers; sizes stay what they are."""
    from onnx2fx.utils.dtype import onnx_dtype_to_torch

    dtype, name = onnx_dtype_to_torch(attributes(node)["to"]), node.input[0]
    if name in b.whole and dtype in (torch.int64, torch.int32):
        b.whole[node.output[0]] = b.whole[name]
        return None
    if dtype is None or (not dtype.is_floating_point and b.is_float(name)):
        return None
    return b.graph.call_method("to", (b.get_value(name), dtype))


def on_sizes(b: Lifting, node: Foreign) -> bool:
    """Whether a step computes known sizes from known sizes; then they are noted."""
    function = _ON_SIZES.get(node.op_type)
    if function is None or not any(name in b.whole for name in node.input):
        return False
    one, other = (b.fixed(name) for name in node.input)
    if one is None or other is None or len(one) != 1 or len(other) != 1:
        return False
    b.known(node, [function(one[0], other[0])], scalar=all(map(b.is_scalar, node.input)))
    return True


HANDLERS = {
    "Constant": constant,
    "Identity": same,
    "Dropout": same,
    "Shape": shape,
    "Reshape": reshape,
    "Flatten": flatten,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Concat": concat,
    "Split": split,
    "Slice": slicing,
    "Pad": pad,
    "Cast": cast,
}
