"""Operations and layers by what they do to channels; the labelling walk asks here."""

from __future__ import annotations

import operator

import torch
import torch.nn.functional as F
from torch import nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
PER_CHANNEL = (nn.modules.batchnorm._NormBase,)
RECURRENT = (nn.RNNBase, nn.RNNCellBase)

# Operations whose result holds, place by place, the sum (the product) of what stands at that place.
SUMS = {torch.add, operator.add, operator.iadd, torch.sub, operator.sub, operator.isub, "add", "add_", "sub", "sub_"}
PRODUCTS = {
    torch.mul, operator.mul, operator.imul, torch.div, operator.truediv, torch.maximum, torch.minimum,
    "mul", "mul_", "div", "div_",
}  # fmt: skip
# Operations that only move data: they are run on the labels themselves.
MOVES = {
    torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze, torch.cat,
    torch.concat, torch.stack, torch.chunk, torch.split, torch.narrow, torch.select, torch.movedim, torch.flip,
    torch.roll, torch.unbind, torch.clone, torch.swapaxes, torch.tile, torch.unflatten, torch.repeat_interleave,
    operator.getitem, getattr,
    "flatten", "reshape", "view", "permute", "transpose", "squeeze", "unsqueeze", "chunk", "split", "narrow",
    "select", "movedim", "flip", "roll", "unbind", "clone", "contiguous", "expand", "expand_as", "repeat", "detach",
    "size", "dim", "swapaxes", "unflatten", "view_as", "reshape_as", "t", "to", "repeat_interleave",
}  # fmt: skip
JOINS = {torch.cat, torch.concat, torch.stack}
UNARY = {
    F.relu, F.relu6, F.gelu, F.silu, F.elu, F.selu, F.celu, F.leaky_relu, F.hardtanh, F.hardswish, F.hardsigmoid,
    F.mish, F.softplus, F.sigmoid, F.tanh, F.dropout, F.dropout2d, F.dropout1d, F.logsigmoid, F.softsign,
    torch.relu, torch.relu_, torch.sigmoid, torch.tanh, torch.abs, torch.exp, torch.sqrt, torch.square, torch.neg,
    torch.clamp, torch.pow, torch.erf, operator.neg, operator.pow,
    "relu", "relu_", "sigmoid", "tanh", "abs", "exp", "sqrt", "square", "neg", "clamp", "pow", "float", "type_as",
}  # fmt: skip
SPATIAL = {
    F.max_pool1d, F.max_pool2d, F.max_pool3d, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d, F.adaptive_avg_pool1d,
    F.adaptive_avg_pool2d, F.adaptive_avg_pool3d, F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.interpolate,
}  # fmt: skip
REDUCTIONS = {torch.mean, torch.sum, torch.amax, torch.amin, "mean", "sum", "amax", "amin"}
SOFTMAX = {F.softmax, torch.softmax, "softmax"}
MASKED_FILLS = {torch.masked_fill, "masked_fill", "masked_fill_"}
MATRIX_PRODUCTS = {torch.matmul, torch.bmm, operator.matmul, "matmul", "bmm"}
UNARY_MODULES = (
    nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.CELU, nn.LeakyReLU, nn.Hardtanh, nn.Hardswish,
    nn.Hardsigmoid, nn.Mish, nn.Softplus, nn.Sigmoid, nn.Tanh, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Identity,
    nn.LogSigmoid, nn.Softsign,
)  # fmt: skip
SPATIAL_MODULES = (
    nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd, nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd, nn.Upsample,
)  # fmt: skip
