"""The words of a slim model: the layers, functions and methods that a file may name. Nothing else exists.

Functions, methods and the layers without weights stand in the table of operators, the layers with weights here.
Every one computes on numbers and tensors alone: none reads a file, imports, compiles, calls back or hands out
memory that it did not fill.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from explorer.types.aliases import Operation
from explorer.types.operators import OPERATORS

# Only these are asked of a tensor by name; the classic ways out of a sandbox are not among them.
ATTRIBUTES = frozenset({"shape", "ndim", "dtype", "device", "T", "mT"})
CONSTANTS = frozenset(
    {
        *("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"),
        *("contiguous_format", "preserve_format", "channels_last"),
    }
)
METHOD = "torch.Tensor."

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
    "Flatten": ("start_dim", "end_dim"),
    "Unflatten": ("dim", "unflattened_size"),
    "PixelShuffle": ("upscale_factor",),
    "PixelUnshuffle": ("downscale_factor",),
    "ChannelShuffle": ("groups",),
    "PReLU": ("num_parameters",),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
    "GLU": ("dim",),
    **{op.layer: op.arguments for op in OPERATORS if op.layer},
}


FUNCTIONS: dict[str, Operation] = {
    word: function for place in "botf" for op in OPERATORS for word, function in op.words(place).items()
}
METHODS = frozenset(word for op in OPERATORS for word in op.words("m"))
ARITHMETIC = frozenset(word for op in OPERATORS for word in op.words("o")) - {"operator.getitem"}
# Two names may be one function: then either will do.
NAME_OF: dict[Any, str] = {function: name for name, function in FUNCTIONS.items()}


def layer_class(name: str) -> type[nn.Module]:
    """The class of a layer that is one of :data:`LAYERS`."""
    layer: type[nn.Module] = getattr(nn, name)
    return layer
