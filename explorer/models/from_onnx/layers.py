"""Steps with weights that stand in the file, as layers of ``torch.nn``."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.models.from_onnx.lifting import Lifting, attributes, given, pairs
from explorer.models.from_onnx.origin import Origin
from explorer.models.libraries.imported import Foreign

_CONVS: dict[int, Foreign] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, Foreign] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_NORMS: dict[int, Foreign] = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
_SAME = ("SAME_UPPER", "SAME_LOWER")


def _origins(**names: str) -> dict[str, Origin]:
    return {key: Origin(name) for key, name in names.items() if name}


def padding(about: dict[str, Foreign], kernel: list[int]) -> list[tuple[int, int]] | None:
    """(before, after) of each place's dimension; None where they depend on the sizes of the input."""
    auto, strides = about.get("auto_pad", "NOTSET"), about.get("strides") or [1] * len(kernel)
    if auto in _SAME:
        if any(stride != 1 for stride in strides):
            return None
        totals = [d * (k - 1) for d, k in zip(about.get("dilations") or [1] * len(kernel), kernel, strict=True)]
        halves = [(total // 2, total - total // 2) for total in totals]
        return halves if auto == "SAME_UPPER" else [(after, before) for before, after in halves]
    return pairs(about.get("pads") or [0] * (2 * len(kernel))) if auto == "NOTSET" else [(0, 0)] * len(kernel)


def padded(b: Lifting, x: fx.Node, pads: list[tuple[int, int]], value: float = 0.0) -> tuple[fx.Node, list[int]]:
    """(the input, the padding that is left to the layer): what differs before and after is added first."""
    if all(before == after for before, after in pads):
        return x, [before for before, _ in pads]
    flat = [n for pair in reversed(pads) for n in pair]
    return b.plain(F.pad, x, flat, "constant", value), [0] * len(pads)


def conv(b: Lifting, node: Foreign) -> fx.Node | None:
    """A convolution whose kernel and bias stand in the file."""
    weight, about = b.constant(given(node, 1)), attributes(node)
    if weight is None or not _all_constant(b, node) or weight.dim() - 2 not in _CONVS:
        return None
    kernel = list(weight.shape[2:])
    pads = padding(about, kernel)
    if pads is None:
        return None
    x, inside = padded(b, b.get_value(node.input[0]), pads)
    n = len(kernel)
    groups = about.get("group", 1)
    with torch.device("meta"):
        module = _CONVS[n](
            weight.shape[1] * groups,
            weight.shape[0],
            kernel,
            about.get("strides") or [1] * n,
            inside,
            about.get("dilations") or [1] * n,
            groups,
            bool(given(node, 2)),
        )
    return b.layer(node, module, _origins(weight=node.input[1], bias=given(node, 2)), x)


def transposed_conv(b: Lifting, node: Foreign) -> fx.Node | None:
    """A transposed convolution whose kernel and bias stand in the file."""
    weight, about = b.constant(given(node, 1)), attributes(node)
    if weight is None or not _all_constant(b, node) or weight.dim() - 2 not in _TRANSPOSED:
        return None
    kernel = list(weight.shape[2:])
    pads = padding(about, kernel)
    if pads is None or about.get("output_shape") or about.get("auto_pad") in _SAME or any(p != q for p, q in pads):
        return None
    n, groups = len(kernel), about.get("group", 1)
    with torch.device("meta"):
        module = _TRANSPOSED[n](
            weight.shape[0],
            weight.shape[1] * groups,
            kernel,
            about.get("strides") or [1] * n,
            [before for before, _ in pads],
            about.get("output_padding") or [0] * n,
            groups,
            bool(given(node, 2)),
            about.get("dilations") or [1] * n,
        )
    origins = _origins(weight=node.input[1], bias=given(node, 2))
    return b.layer(node, module, origins, b.get_value(node.input[0]))


def gemm(b: Lifting, node: Foreign) -> fx.Node | None:
    """A matrix of the file times the input, plus a bias of the file."""
    weight, about = b.constant(given(node, 1)), attributes(node)
    plain = about.get("alpha", 1.0) == 1.0 and about.get("beta", 1.0) == 1.0 and not about.get("transA", 0)
    if weight is None or not plain or not _all_constant(b, node):
        return None
    turned, bias = not about.get("transB", 0), b.constant(given(node, 2))
    if bias is not None and tuple(bias.shape) != (weight.shape[int(turned)],):
        return None
    return _linear(b, node, Origin(node.input[1], turned), given(node, 2), b.get_value(node.input[0]))


def matmul(b: Lifting, node: Foreign) -> fx.Node | None:
    """A product with a matrix of the file, with the bias that alone is added to it; else one of two values."""
    weight = b.constant(node.input[1])
    if weight is None or weight.dim() != 2 or b.constant(node.input[0]) is not None:
        return None if weight is not None else b.plain(torch.matmul, *map(b.get_value, node.input))
    after, bias = b.sole_user(node.output[0]), ""
    if after is not None and after.op_type == "Add" and not after.domain and len(set(after.input)) == 2:
        other = next(name for name in after.input if name != node.output[0])
        value = b.constant(other)
        bias = other if value is not None and tuple(value.shape) == (weight.shape[1],) else ""
    product = _linear(b, node, Origin(node.input[1], True), bias, b.get_value(node.input[0]))
    if bias:
        b.fused[after.output[0]] = product
    return product


def _linear(b: Lifting, node: Foreign, weight: Origin, bias: str, x: fx.Node) -> fx.Node:
    rows, columns = b.constants[weight.name].shape[:: -1 if weight.turned else 1]
    with torch.device("meta"):
        module = nn.Linear(columns, rows, bool(bias))
    return b.layer(node, module, {"weight": weight, **_origins(bias=bias)}, x)


def batch_norm(b: Lifting, node: Foreign) -> fx.Node | None:
    """A normalisation by statistics of the file."""
    dims, about = b.dims(node.input[0]), attributes(node)
    if not _all_constant(b, node) or dims is None or len(dims) not in _NORMS or about.get("training_mode", 0):
        return None
    size = b.constants[node.input[1]].numel()
    module = _NORMS[len(dims)](size, eps=about.get("epsilon", 1e-5))
    names = dict(zip(("weight", "bias", "running_mean", "running_var"), node.input[1:5], strict=True))
    return b.layer(node, module, _origins(**names), b.get_value(node.input[0]))


def layer_norm(b: Lifting, node: Foreign) -> fx.Node | None:
    """A normalisation over the last dimensions."""
    scale, about = b.constant(given(node, 1)), attributes(node)
    dims = b.dims(node.input[0])
    if scale is None or not _all_constant(b, node) or len(node.output) > 1:
        return None
    axis = about.get("axis", -1)
    rank = scale.dim() if axis < 0 else None if dims is None else len(dims) - axis
    if rank != scale.dim() or (axis < 0 and -axis != rank):
        return None
    bias = given(node, 2)
    module = nn.LayerNorm(tuple(scale.shape), about.get("epsilon", 1e-5), bias=bool(bias))
    return b.layer(node, module, _origins(weight=node.input[1], bias=bias), b.get_value(node.input[0]))


def gather(b: Lifting, node: Foreign) -> fx.Node | None:
    """Rows of a table of the file that the input names; or one of several known sizes."""
    table, about = b.constant(node.input[0]), attributes(node)
    axis, places, values = about.get("axis", 0), b.fixed(node.input[1]), b.numbers(node.input[0])
    if values is not None and places is not None and axis == 0:
        return b.known(node, [values[place] for place in places], scalar=b.is_scalar(node.input[1]))
    if table is None or places is not None or axis != 0 or table.dim() != 2 or not table.is_floating_point():
        return None
    with torch.device("meta"):
        module = nn.Embedding(*table.shape)
    return b.layer(node, module, _origins(weight=node.input[0]), b.get_value(node.input[1]))


def prelu(b: Lifting, node: Foreign) -> fx.Node | None:
    """A slope of the file below zero, one for all or one for each channel."""
    slope, dims = b.constant(node.input[1]), b.dims(node.input[0])
    if slope is None or dims is None:
        return None
    each = slope.numel() == 1 or (slope.dim() == len(dims) - 1 and slope.shape[0] == slope.numel())
    return b.plain(F.prelu, b.get_value(node.input[0]), _flat(b, node.input[1])) if each else None


def _flat(b: Lifting, name: str) -> fx.Node:
    return b.plain(torch.reshape, b.get_value(name), (-1,))


def _all_constant(b: Lifting, node: Foreign) -> bool:
    """Whether all inputs but the first stand in the file, as floating-point numbers."""
    values: list[Tensor | None] = [b.constant(name) for name in node.input[1:] if name]
    return all(value is not None and value.is_floating_point() for value in values)


HANDLERS = {
    "Conv": conv,
    "ConvTranspose": transposed_conv,
    "Gemm": gemm,
    "MatMul": matmul,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "Gather": gather,
    "PRelu": prelu,
}
