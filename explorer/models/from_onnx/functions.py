"""Steps without weights, as functions of torch: activations, sums and products, pools, means."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import fx

from explorer.models.from_onnx.layers import padded, padding
from explorer.models.from_onnx.lifting import Handler, Lifting, attributes, given
from explorer.models.from_onnx.shapes import on_sizes
from explorer.models.libraries.imported import Foreign

Function = Callable[..., Foreign]
_OF_ONE: dict[str, Function] = {
    "Relu": F.relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "HardSwish": F.hardswish,
    "Mish": F.mish,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Abs": torch.abs,
    "Sqrt": torch.sqrt,
    "Neg": torch.neg,
    "Exp": torch.exp,
    "Log": torch.log,
    "Erf": torch.erf,
    "Sin": torch.sin,
    "Cos": torch.cos,
}
_OF_TWO: dict[str, Function] = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}
_REDUCED: dict[str, Function] = {
    "ReduceMean": torch.mean,
    "ReduceSum": torch.sum,
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
}
_MAX: dict[int, Function] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEAN: dict[int, Function] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_GLOBAL: dict[str, dict[int, Function]] = {
    "GlobalAveragePool": {3: F.adaptive_avg_pool1d, 4: F.adaptive_avg_pool2d, 5: F.adaptive_avg_pool3d},
    "GlobalMaxPool": {3: F.adaptive_max_pool1d, 4: F.adaptive_max_pool2d, 5: F.adaptive_max_pool3d},
}
_SLOPES: dict[str, tuple[Function, float]] = {
    "LeakyRelu": (F.leaky_relu, 0.01),
    "Elu": (F.elu, 1.0),
    "Celu": (F.celu, 1.0),
}


def of_one(b: Lifting, node: Foreign) -> fx.Node | None:
    """A function of each number by itself."""
    return b.plain(_OF_ONE[node.op_type], b.get_value(node.input[0]))


def sloped(b: Lifting, node: Foreign) -> fx.Node | None:
    """An activation with one number of its own."""
    function, usual = _SLOPES[node.op_type]
    return b.plain(function, b.get_value(node.input[0]), attributes(node).get("alpha", usual))


def of_two(b: Lifting, node: Foreign) -> fx.Node | None:
    """Numbers at the same place added, multiplied and so on; single constants as plain numbers."""
    if on_sizes(b, node) or not all(map(b.is_float, node.input)):
        return None
    values = [_number(b, name) for name in node.input]
    if isinstance(values[0], float):  # the function takes a tensor first
        values = [b.get_value(node.input[0]), values[1]]
    return b.plain(_OF_TWO[node.op_type], *values)


def _number(b: Lifting, name: str) -> float | fx.Node:
    value = b.constant(name)
    if value is None or value.dim() or not math.isfinite(value.item()):
        return b.get_value(name)
    return float(value.item())


def power(b: Lifting, node: Foreign) -> fx.Node | None:
    """A power with a number that stands in the file."""
    exponent = b.constant(node.input[1])
    if exponent is None or exponent.numel() != 1 or not b.is_float(node.input[0]):
        return None
    return b.plain(torch.pow, b.get_value(node.input[0]), float(exponent.item()))


def clip(b: Lifting, node: Foreign) -> fx.Node | None:
    """Numbers between two bounds."""
    about = attributes(node)
    low, high = about.get("min"), about.get("max")
    for place in (1, 2):
        if name := given(node, place):
            bound = b.constant(name)
            if bound is None:
                return None
            low, high = (bound.item(), high) if place == 1 else (low, bound.item())
    x = b.get_value(node.input[0])
    if not b.is_float(node.input[0]) or (low is None and high is None):
        return None
    return b.plain(F.relu6, x) if (low, high) == (0.0, 6.0) else b.plain(torch.clamp, x, low, high)


def hard_sigmoid(b: Lifting, node: Foreign) -> fx.Node | None:
    """A straight line between 0 and 1, as torch has it where the slope is its own."""
    about = attributes(node)
    slope, middle, x = about.get("alpha", 0.2), about.get("beta", 0.5), b.get_value(node.input[0])
    if math.isclose(slope, 1 / 6, rel_tol=1e-5) and middle == 0.5:
        return b.plain(F.hardsigmoid, x)
    return b.plain(torch.clamp, b.plain(torch.add, b.plain(torch.mul, x, slope), middle), 0.0, 1.0)


def gelu(b: Lifting, node: Foreign) -> fx.Node | None:
    """GELU, exact or by tanh."""
    return b.graph.call_function(
        F.gelu, (b.get_value(node.input[0]),), {"approximate": attributes(node).get("approximate", "none")}
    )


def softmax(b: Lifting, node: Foreign) -> fx.Node | None:
    """Numbers weighed against each other along one dimension."""
    dims, since_13 = b.dims(node.input[0]), b.opset_version >= 13
    axis = attributes(node).get("axis", -1 if since_13 else 1)
    if not since_13 and (dims is None or axis % len(dims) != len(dims) - 1):
        return None  # before, all dimensions from this one on were one
    function = F.softmax if node.op_type == "Softmax" else F.log_softmax
    return b.graph.call_function(function, (b.get_value(node.input[0]), axis))


def max_pool(b: Lifting, node: Foreign) -> fx.Node | None:
    """The largest of each window."""
    about = attributes(node)
    kernel = about["kernel_shape"]
    pads = padding(about, kernel)
    if pads is None or len(kernel) not in _MAX or len(node.output) > 1 or about.get("storage_order", 0):
        return None
    if any(max(pair) > k // 2 for pair, k in zip(pads, kernel, strict=True)):
        return None
    x, inside = padded(b, b.get_value(node.input[0]), pads, -math.inf)
    strides, dilations = about.get("strides") or [1] * len(kernel), about.get("dilations") or 1
    return b.plain(_MAX[len(kernel)], x, kernel, strides, inside, dilations, bool(about.get("ceil_mode", 0)))


def mean_pool(b: Lifting, node: Foreign) -> fx.Node | None:
    """The mean of each window."""
    about = attributes(node)
    kernel = about["kernel_shape"]
    pads = padding(about, kernel)
    plain = pads is not None and all(p == q and p <= k // 2 for (p, q), k in zip(pads, kernel, strict=True))
    if pads is None or not plain or len(kernel) not in _MEAN or any(d != 1 for d in about.get("dilations") or ()):
        return None
    flags = bool(about.get("ceil_mode", 0)), bool(about.get("count_include_pad", 0))
    strides, inside = about.get("strides") or [1] * len(kernel), [before for before, _ in pads]
    return b.plain(_MEAN[len(kernel)], b.get_value(node.input[0]), kernel, strides, inside, *flags)


def global_pool(b: Lifting, node: Foreign) -> fx.Node | None:
    """One number for each channel."""
    dims = b.dims(node.input[0])
    function = None if dims is None else _GLOBAL[node.op_type].get(len(dims))
    return None if function is None else b.plain(function, b.get_value(node.input[0]), 1)


def reduction(b: Lifting, node: Foreign) -> fx.Node | None:
    """One number of many along known dimensions."""
    about = attributes(node)
    axes = about.get("axes") or (b.fixed(node.input[1]) if given(node, 1) else None)
    if not axes or not b.is_float(node.input[0]):
        return None
    return b.plain(_REDUCED[node.op_type], b.get_value(node.input[0]), list(axes), bool(about.get("keepdims", 1)))


def resize(b: Lifting, node: Foreign) -> fx.Node | None:
    """Places repeated a whole number of times, in both directions."""
    about, dims, scales = attributes(node), b.dims(node.input[0]), b.constant(given(node, 2))
    by_place = about.get("coordinate_transformation_mode", "half_pixel") == "asymmetric"
    nearest = about.get("mode", "nearest") == "nearest" and about.get("nearest_mode") == "floor" and by_place
    if not nearest or dims is None or scales is None or scales.numel() != len(dims) or given(node, 3):
        return None
    factors = [float(scale) for scale in scales.tolist()]
    if len(dims) < 3 or factors[:2] != [1.0, 1.0] or any(f < 1 or f != int(f) for f in factors):
        return None
    return b.plain(F.interpolate, b.get_value(node.input[0]), scale_factor=factors[2:], mode="nearest")


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(_OF_ONE, of_one),
    **dict.fromkeys(_OF_TWO, of_two),
    **dict.fromkeys(_SLOPES, sloped),
    **dict.fromkeys(_REDUCED, reduction),
    **dict.fromkeys(_GLOBAL, global_pool),
    "Pow": power,
    "Clip": clip,
    "HardSigmoid": hard_sigmoid,
    "Gelu": gelu,
    "Softmax": softmax,
    "LogSoftmax": softmax,
    "Resize": resize,
    "MaxPool": max_pool,
    "AveragePool": mean_pool,
}
