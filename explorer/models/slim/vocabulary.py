"""The words of a slim model: the layers, functions and methods that a file may name. Nothing else exists.

Every function here computes on numbers and tensors alone: none reads a file, imports, compiles,
calls back or hands out memory that it did not fill.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_ARITHMETIC = (
    "add sub mul truediv floordiv mod neg pow matmul iadd isub imul itruediv eq ne lt le gt ge and_ or_ invert"
)
_TORCH = """
flatten unflatten reshape permute transpose squeeze unsqueeze cat concat stack chunk split narrow select movedim flip
roll unbind clone swapaxes tile repeat_interleave
broadcast_to index_select t add sub mul div maximum minimum relu relu_ sigmoid tanh abs
exp log log1p sqrt rsqrt square neg clamp pow erf sin cos sign round reciprocal lerp mean sum amax amin std var
cumsum softmax log_softmax matmul bmm mm einsum baddbmm addmm addcmul outer where zeros_like ones_like full_like zeros
ones full arange tril triu masked_fill logical_and logical_or logical_not eq ne lt le gt ge argmax argmin floor_divide
conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d pixel_shuffle pixel_unshuffle layer_norm
group_norm batch_norm prelu dropout avg_pool1d max_pool1d max_pool2d adaptive_avg_pool1d gather
"""
_FUNCTIONAL = """
relu relu6 gelu silu elu selu celu leaky_relu hardtanh hardswish hardsigmoid mish softplus softmin sigmoid tanh
logsigmoid softsign softshrink hardshrink tanhshrink glu prelu threshold softmax log_softmax dropout dropout1d dropout2d
dropout3d alpha_dropout feature_alpha_dropout pad interpolate max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d
avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
adaptive_max_pool3d lp_pool1d lp_pool2d scaled_dot_product_attention linear bilinear conv1d conv2d conv3d
conv_transpose1d conv_transpose2d conv_transpose3d layer_norm batch_norm group_norm instance_norm rms_norm normalize
local_response_norm embedding unfold fold pixel_shuffle pixel_unshuffle channel_shuffle cosine_similarity
"""
_METHODS = """
flatten unflatten reshape view view_as reshape_as permute transpose squeeze unsqueeze chunk split narrow select movedim
flip roll unbind clone contiguous expand expand_as repeat detach size dim numel swapaxes t to type_as float double half
add add_ sub sub_ mul mul_ div div_ pow matmul bmm mm addmm relu relu_ sigmoid tanh abs exp log sqrt rsqrt square neg
clamp clamp_min clamp_max erf sin cos sign round reciprocal softmax log_softmax mean sum amax amin std var cumsum where
masked_fill masked_fill_ eq ne lt le gt ge logical_and logical_or logical_not argmax argmin index_select gather tril
triu tile broadcast_to repeat_interleave long int bool new_zeros new_ones maximum minimum
"""
# Only these are asked of a tensor by name; the classic ways out of a sandbox are not among them.
ATTRIBUTES = frozenset({"shape", "ndim", "dtype", "device", "T", "mT"})
CONSTANTS = frozenset(
    {
        *("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"),
        *("contiguous_format", "preserve_format", "channels_last"),
    }
)
METHOD = "torch.Tensor."

_POOL = ("kernel_size", "stride", "padding")
_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
_BATCH = ("num_features", "eps", "momentum", "affine", "track_running_stats")
_RECURRENT = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")


def _each(pattern: str, arguments: tuple[str, ...], sizes: str = "123") -> dict[str, tuple[str, ...]]:
    return {pattern.format(n): arguments for n in sizes}


# Constructor arguments of each layer; each is also an attribute of the layer, or a bias that is there or not.
LAYERS: dict[str, tuple[str, ...]] = {
    **_each("Conv{}d", (*_CONV, "dilation", "groups", "bias", "padding_mode")),
    **_each("ConvTranspose{}d", (*_CONV, "output_padding", "groups", "bias", "dilation", "padding_mode")),
    **_each("BatchNorm{}d", _BATCH),
    **_each("InstanceNorm{}d", _BATCH),
    **_each("MaxPool{}d", (*_POOL, "dilation", "return_indices", "ceil_mode")),
    "AvgPool1d": (*_POOL, "ceil_mode", "count_include_pad"),
    **_each("AvgPool{}d", (*_POOL, "ceil_mode", "count_include_pad", "divisor_override"), "23"),
    **_each("AdaptiveAvgPool{}d", ("output_size",)),
    **_each("AdaptiveMaxPool{}d", ("output_size", "return_indices")),
    **_each("Dropout{}d", ("p", "inplace")),
    **_each("ReflectionPad{}d", ("padding",)),
    **_each("ReplicationPad{}d", ("padding",)),
    **_each("ConstantPad{}d", ("padding", "value")),
    **_each("ZeroPad{}d", ("padding",)),
    "Linear": ("in_features", "out_features", "bias"),
    "Bilinear": ("in1_features", "in2_features", "out_features", "bias"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine", "bias"),
    "RMSNorm": ("normalized_shape", "eps", "elementwise_affine"),
    "GroupNorm": ("num_groups", "num_channels", "eps", "affine"),
    "LocalResponseNorm": ("size", "alpha", "beta", "k"),
    "GRU": _RECURRENT,
    "LSTM": (*_RECURRENT, "proj_size"),
    "RNN": (*_RECURRENT, "nonlinearity"),
    **dict.fromkeys(("GRUCell", "LSTMCell"), ("input_size", "hidden_size", "bias")),
    "RNNCell": ("input_size", "hidden_size", "bias", "nonlinearity"),
    "MultiheadAttention": ("embed_dim", "num_heads", "dropout", "bias", "kdim", "vdim", "batch_first"),
    "TransformerEncoderLayer": (
        *("d_model", "nhead", "dim_feedforward", "dropout", "activation"),
        *("layer_norm_eps", "batch_first", "norm_first", "bias"),
    ),
    "Dropout": ("p", "inplace"),
    "AlphaDropout": ("p", "inplace"),
    "Flatten": ("start_dim", "end_dim"),
    "Unflatten": ("dim", "unflattened_size"),
    "Upsample": ("size", "scale_factor", "mode", "align_corners"),
    "PixelShuffle": ("upscale_factor",),
    "PixelUnshuffle": ("downscale_factor",),
    "ChannelShuffle": ("groups",),
    "Identity": (),
    "PReLU": ("num_parameters",),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "GLU": ("dim",),
    "GELU": ("approximate",),
    "ELU": ("alpha", "inplace"),
    "CELU": ("alpha", "inplace"),
    "LeakyReLU": ("negative_slope", "inplace"),
    "Hardtanh": ("min_val", "max_val", "inplace"),
    "Softplus": ("beta", "threshold"),
    "Threshold": ("threshold", "value", "inplace"),
    "Softshrink": ("lambd",),
    "Hardshrink": ("lambd",),
    **dict.fromkeys(("ReLU", "ReLU6", "SiLU", "SELU", "Mish", "Hardswish", "Hardsigmoid"), ("inplace",)),
    **dict.fromkeys(("Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink"), ()),
}


def _named(prefix: str, place: Any, names: str) -> dict[str, Callable[..., Any]]:
    return {f"{prefix}.{name}": getattr(place, name) for name in names.split() if hasattr(place, name)}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.getattr": builtins.getattr,
    "operator.getitem": operator.getitem,
    **_named("operator", operator, _ARITHMETIC),
    **_named("torch", torch, _TORCH),
    **_named("torch.nn.functional", F, _FUNCTIONAL),
}
METHODS = frozenset(METHOD + name for name in _METHODS.split() if hasattr(torch.Tensor, name))
ARITHMETIC = frozenset(f"operator.{name}" for name in _ARITHMETIC.split())
# Two names may be one function: then either will do.
NAME_OF: dict[Any, str] = {function: name for name, function in FUNCTIONS.items()}


def layer_class(name: str) -> type[nn.Module]:
    """The class of a layer that is one of :data:`LAYERS`."""
    found: type[nn.Module] = getattr(nn, name)
    return found
