"""The operators of torch, each once: under which names it exists, what it does to channels, and what zeros become.

The tracing of channels, the evidence of the criteria, the activation thresholds and the slim format all read this
table. A new operator is one entry. Whatever is not listed mixes all its channels, and no slim file may name it:
list only what computes on numbers and tensors alone, and neither reads a file, imports, compiles nor calls back.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.types.aliases import Operation


class Rule(Enum):
    """What an operator does to channels."""

    MOVE = "moves numbers without changing them"
    JOIN = "puts tensors side by side"
    SUM = "adds what stands at the same place"
    PRODUCT = "multiplies or compares what stands at the same place"
    UNARY = "changes each number by itself"
    SPATIAL = "pools or resizes the places of each channel"
    REDUCTION = "makes one number of many along a dimension"
    SOFTMAX = "weighs numbers against each other along a dimension"
    MASKED_FILL = "overwrites single places"
    MATRIX_PRODUCT = "multiplies matrices"
    CONVOLUTION = "slides a kernel over the places"
    TRANSPOSED = "spreads each place with a kernel"
    LINEAR = "multiplies by a matrix of weights"
    EMBEDDING = "looks rows of weights up"
    PAD = "adds places or channels at the border"
    GATED = "multiplies one half by the sigmoid of the other"
    PIXEL_SHUFFLE = "makes places of channels"
    EINSUM = "multiplies along named dimensions"
    ATTENTION = "mixes values by the match of queries and keys"
    LAYER_NORM = "normalises the numbers of the last dimensions"
    RMS_NORM = "divides by the root of the mean square of the last dimensions"
    GROUP_NORM = "normalises groups of channels"
    BATCH_NORM = "normalises each channel"
    PRELU = "scales what is below zero, with a weight for each channel"
    LENGTH = "divides by the length along a dimension"
    MATRIX_SUM = "adds a matrix product to a third"
    PRODUCT_SUM = "adds the product of two to a third at the same place"


PLACES: dict[str, tuple[str, Any]] = {
    "b": ("builtins", builtins),
    "o": ("operator", operator),
    "t": ("torch", torch),
    "f": ("torch.nn.functional", F),
    "m": ("torch.Tensor", Tensor),
}


@dataclass(frozen=True)
class Operator:
    """One operator. ``places``: where torch has a function of this ``name``, by the letters of :data:`PLACES`.

    ``rule`` is None where channels are mixed or nothing is known. ``keeps_zeros``: of a unary one, whether 0 becomes
    0; None where its arguments decide. ``makes_zeros``: whole ranges of numbers become exactly 0. ``activation``: a
    nonlinearity whose small values may be skipped. ``layer``: the class of torch.nn that does the same, with the
    ``arguments`` it is made from.
    """

    name: str
    places: str
    rule: Rule | None = None
    keeps_zeros: bool | None = None
    makes_zeros: bool = False
    activation: bool = False
    layer: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def unary(self) -> bool:
        """Whether each number that comes out depends on one that went in."""
        return self.rule is Rule.UNARY

    @property
    def in_place(self) -> bool:
        """Whether it writes into its input."""
        return self.name.endswith("_") and "o" not in self.places

    def words(self, places: Iterable[str] = PLACES) -> dict[str, Operation]:
        """Each of its functions by the name that a slim file gives it, as far as this torch has them."""
        spaces = [PLACES[place] for place in places if place in self.places]
        return {f"{path}.{self.name}": getattr(space, self.name) for path, space in spaces if hasattr(space, self.name)}


def _all(names: str, places: str, rule: Rule | None = None, *, keeps_zeros: bool | None = None) -> list[Operator]:
    return [Operator(name, places, rule, keeps_zeros) for name in names.split()]


def _activation(
    name: str,
    places: str = "f",
    layer: str = "",
    arguments: tuple[str, ...] = (),
    *,
    makes_zeros: bool = False,
) -> Operator:
    return Operator(name, places, Rule.UNARY, True, makes_zeros, True, layer, arguments)


def _unary(
    name: str, places: str, layer: str, arguments: tuple[str, ...] = (), *, keeps_zeros: bool | None
) -> Operator:
    return Operator(name, places, Rule.UNARY, keeps_zeros, layer=layer, arguments=arguments)


def _pool(name: str, places: str, layer: str, arguments: tuple[str, ...]) -> Operator:
    return Operator(name, places, Rule.SPATIAL, layer=layer, arguments=arguments)


_WINDOW = ("kernel_size", "stride", "padding")
_MAX = (*_WINDOW, "dilation", "return_indices", "ceil_mode")
_MEAN = (*_WINDOW, "ceil_mode", "count_include_pad")
_DROP = ("p", "inplace")
_THRESHOLD = ("threshold", "value", "inplace")

OPERATORS: tuple[Operator, ...] = (
    # Activations: what is small after them may be skipped.
    _activation("relu", "tfm", "ReLU", ("inplace",), makes_zeros=True),
    _activation("relu_", "tm", makes_zeros=True),
    _activation("relu6", "f", "ReLU6", ("inplace",), makes_zeros=True),
    _activation("hardswish", "f", "Hardswish", ("inplace",), makes_zeros=True),
    _activation("leaky_relu", "f", "LeakyReLU", ("negative_slope", "inplace")),
    _activation("elu", "f", "ELU", ("alpha", "inplace")),
    _activation("celu", "f", "CELU", ("alpha", "inplace")),
    _activation("selu", "f", "SELU", ("inplace",)),
    _activation("gelu", "f", "GELU", ("approximate",)),
    _activation("silu", "f", "SiLU", ("inplace",)),
    _activation("mish", "f", "Mish", ("inplace",)),
    # Other functions of one number.
    replace(_unary("threshold", "f", "Threshold", _THRESHOLD, keeps_zeros=None), makes_zeros=True),
    _unary("hardtanh", "f", "Hardtanh", ("min_val", "max_val", "inplace"), keeps_zeros=None),
    _unary("hardsigmoid", "f", "Hardsigmoid", ("inplace",), keeps_zeros=False),
    _unary("softplus", "f", "Softplus", ("beta", "threshold"), keeps_zeros=False),
    _unary("sigmoid", "tfm", "Sigmoid", keeps_zeros=False),
    _unary("logsigmoid", "f", "LogSigmoid", keeps_zeros=False),
    _unary("tanh", "tfm", "Tanh", keeps_zeros=True),
    _unary("softsign", "f", "Softsign", keeps_zeros=True),
    _unary("tanhshrink", "f", "Tanhshrink", keeps_zeros=True),
    replace(_unary("softshrink", "f", "Softshrink", ("lambd",), keeps_zeros=True), makes_zeros=True),
    replace(_unary("hardshrink", "f", "Hardshrink", ("lambd",), keeps_zeros=True), makes_zeros=True),
    _unary("dropout", "tf", "Dropout", _DROP, keeps_zeros=True),
    _unary("dropout1d", "f", "Dropout1d", _DROP, keeps_zeros=True),
    _unary("dropout2d", "f", "Dropout2d", _DROP, keeps_zeros=True),
    _unary("dropout3d", "f", "Dropout3d", _DROP, keeps_zeros=True),
    _unary("alpha_dropout", "f", "AlphaDropout", _DROP, keeps_zeros=True),
    _unary("", "", "Identity", keeps_zeros=True),
    *_all("abs sqrt square neg sin sign round erf", "tm", Rule.UNARY, keeps_zeros=True),
    *_all("exp cos", "tm", Rule.UNARY, keeps_zeros=False),
    *_all("log1p", "t", Rule.UNARY, keeps_zeros=True),
    *_all("feature_alpha_dropout", "f", Rule.UNARY, keeps_zeros=True),
    *_all("float", "m", Rule.UNARY, keeps_zeros=True),
    *_all("type_as", "m", Rule.UNARY),
    *_all("neg", "o", Rule.UNARY, keeps_zeros=True),
    *_all("clamp", "tm", Rule.UNARY),
    *_all("pow", "otm", Rule.UNARY),
    # Of numbers at the same place.
    *_all("add sub", "otm", Rule.SUM),
    *_all("iadd isub", "o", Rule.SUM),
    *_all("add_ sub_", "m", Rule.SUM),
    *_all("mul", "otm", Rule.PRODUCT),
    *_all("div maximum minimum", "tm", Rule.PRODUCT),
    *_all("truediv imul itruediv", "o", Rule.PRODUCT),
    *_all("mul_ div_", "m", Rule.PRODUCT),
    *_all("addcmul", "tm", Rule.PRODUCT_SUM),
    *_all("masked_fill", "tm", Rule.MASKED_FILL),
    *_all("masked_fill_", "m", Rule.MASKED_FILL),
    # What moves numbers.
    *_all("getattr", "b", Rule.MOVE),
    *_all("getitem", "o", Rule.MOVE),
    *_all("flatten unflatten reshape permute transpose squeeze unsqueeze chunk split narrow select", "tm", Rule.MOVE),
    *_all("movedim flip roll unbind clone swapaxes t tile repeat_interleave", "tm", Rule.MOVE),
    *_all("view view_as reshape_as contiguous expand expand_as repeat detach size dim to", "m", Rule.MOVE),
    *_all("cat concat stack", "t", Rule.JOIN),
    # Along dimensions.
    *_all("mean sum amax amin norm", "tm", Rule.REDUCTION),
    *_all("normalize", "f", Rule.LENGTH),
    *_all("softmax", "tfm", Rule.SOFTMAX),
    # Over places.
    _pool("max_pool1d", "tf", "MaxPool1d", _MAX),
    _pool("max_pool2d", "tf", "MaxPool2d", _MAX),
    _pool("max_pool3d", "f", "MaxPool3d", _MAX),
    _pool("avg_pool1d", "tf", "AvgPool1d", _MEAN),
    _pool("avg_pool2d", "f", "AvgPool2d", (*_MEAN, "divisor_override")),
    _pool("avg_pool3d", "f", "AvgPool3d", (*_MEAN, "divisor_override")),
    _pool("adaptive_avg_pool1d", "tf", "AdaptiveAvgPool1d", ("output_size",)),
    _pool("adaptive_avg_pool2d", "f", "AdaptiveAvgPool2d", ("output_size",)),
    _pool("adaptive_avg_pool3d", "f", "AdaptiveAvgPool3d", ("output_size",)),
    _pool("adaptive_max_pool1d", "f", "AdaptiveMaxPool1d", ("output_size", "return_indices")),
    _pool("adaptive_max_pool2d", "f", "AdaptiveMaxPool2d", ("output_size", "return_indices")),
    _pool("adaptive_max_pool3d", "f", "AdaptiveMaxPool3d", ("output_size", "return_indices")),
    _pool("interpolate", "f", "Upsample", ("size", "scale_factor", "mode", "align_corners")),
    *_all("pad", "f", Rule.PAD),
    *_all("pixel_shuffle", "tf", Rule.PIXEL_SHUFFLE),
    # With weights, or products of activations.
    *_all("linear", "f", Rule.LINEAR),
    *_all("embedding", "f", Rule.EMBEDDING),
    *_all("conv1d conv2d conv3d", "tf", Rule.CONVOLUTION),
    *_all("conv_transpose1d conv_transpose2d conv_transpose3d", "tf", Rule.TRANSPOSED),
    *_all("matmul", "otm", Rule.MATRIX_PRODUCT),
    *_all("bmm mm", "tm", Rule.MATRIX_PRODUCT),
    *_all("addmm", "tm", Rule.MATRIX_SUM),
    *_all("einsum", "t", Rule.EINSUM),
    *_all("scaled_dot_product_attention", "f", Rule.ATTENTION),
    *_all("glu", "f", Rule.GATED),
    *_all("layer_norm", "tf", Rule.LAYER_NORM),
    *_all("rms_norm", "tf", Rule.RMS_NORM),
    *_all("group_norm", "tf", Rule.GROUP_NORM),
    *_all("batch_norm", "tf", Rule.BATCH_NORM),
    *_all("prelu", "tf", Rule.PRELU),
    # Without a rule: they mix channels, make new numbers, or are infinite at the zero of a channel that is pruned.
    *_all("log rsqrt reciprocal", "tm"),
    *_all("eq ne lt le gt ge", "otm"),
    *_all("floordiv mod and_ or_ invert", "o"),
    *_all("logical_and logical_or logical_not argmax argmin cumsum std var where index_select gather", "tm"),
    *_all("broadcast_to tril triu", "tm"),
    *_all("lerp baddbmm outer zeros_like ones_like full_like zeros ones full arange floor_divide", "t"),
    *_all("log_softmax", "tfm"),
    *_all("pixel_unshuffle", "tf"),
    *_all("softmin lp_pool1d lp_pool2d bilinear instance_norm local_response_norm", "f"),
    *_all("unfold fold channel_shuffle cosine_similarity", "f"),
    *_all("numel double half clamp_min clamp_max long int bool new_zeros new_ones", "m"),
)


def named(rule: Rule) -> frozenset[str]:
    """The names of the operators of one rule."""
    return frozenset(op.name for op in OPERATORS if op.rule is rule and op.name)


def functions(operators: Iterable[Operator]) -> frozenset[Any]:
    """Their functions and methods as torch calls them."""
    return frozenset(function for op in operators for function in op.words().values())


@cache
def layer_classes(rule: Rule) -> tuple[type[nn.Module], ...]:
    """The layers without weights that do what the operators of one rule do."""
    return tuple(getattr(nn, op.layer) for op in OPERATORS if op.rule is rule and op.layer)


_OF_FUNCTION = {function: op for op in OPERATORS for function in op.words("botf").values()}
_OF_METHOD = {op.name: op for op in OPERATORS if "m" in op.places}


def operator_of(target: Any) -> Operator | None:
    """The operator that a traced step calls: ``target`` is a function, or the name of a method of tensors."""
    return _OF_METHOD.get(target) if isinstance(target, str) else _OF_FUNCTION.get(target)


def rule_of(target: object) -> Rule | None:
    """What such a step does to channels; None: it mixes them, or nothing is known."""
    op = operator_of(target)
    return None if op is None else op.rule
