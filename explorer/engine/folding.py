"""Convolution, batch norm and ReLU as one step, for the fast path.

Folding changes the order of float32 additions, so outputs differ in the last digits. The
evaluator checks the first batch against the plain model and every close call afterwards.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from explorer.engine.tracers.base import Steps
from explorer.pruning.apply import private_shell
from explorer.types.aliases import GraphValue
from explorer.types.operators import OPERATORS, functions

M = TypeVar("M", bound=nn.Module)

_RELU_FUNCTIONS = functions(op for op in OPERATORS if op.name == "relu")
_ADD_FUNCTIONS = (operator.add, torch.add)


class Folded(nn.Module):
    """``relu(bn(conv(x)) + other)``; batch norm's scale and shift are folded into the kernel."""

    def __init__(
        self, conv: nn.Conv2d, bn: nn.BatchNorm2d | None, replaced: Mapping[int, Tensor] | None = None
    ) -> None:
        super().__init__()
        self.conv = conv
        self.bn = bn
        self.replaced = replaced or {}  # by the id of the parameter
        self.relu = False
        self.dtype = torch.float32  # of the folded kernel
        self.kernel: tuple[Tensor, Tensor | None] | None = None
        self.packed: Tensor | None = None  # the kernel as torch's fused step wants it

    def around(self, replaced: Mapping[int, Tensor]) -> Folded:
        """The same step with other tensors in the place of some parameters (by their ids); nothing is copied."""
        step = Folded(self.conv, self.bn, replaced)
        step.relu = self.relu
        return step

    def forward(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """(n, in, h, w) -> (n, out, h', w'), channels last in memory."""
        if self.kernel is None:  # each private shell folds its own, masked tensors once
            self.kernel = self._fold()
        if self._fuses(x):
            return self._fused(x, other)
        conv = self.conv
        y = functional.conv2d(x, *self.kernel, conv.stride, conv.padding, conv.dilation, conv.groups)
        if other is not None:
            y = y.add_(other)
        return y.relu_() if self.relu else y

    def _fuses(self, x: Tensor) -> bool:
        """Whether torch offers a fused step for this; it is private to torch, so it may be absent."""
        is_plain = x.device.type == "cpu" and x.dtype == self.dtype and not isinstance(self.conv.padding, str)
        return is_plain and hasattr(torch.ops.mkldnn, "_convolution_pointwise")

    def _fused(self, x: Tensor, other: Tensor | None) -> Tensor:
        conv, ops = self.conv, torch.ops.mkldnn
        weight, bias = self.kernel  # type: ignore[misc]
        places = (conv.padding, conv.stride, conv.dilation, conv.groups)
        if self.packed is None:
            self.packed = ops._reorder_convolution_weight(weight, *places, list(x.shape))
        after = "relu" if self.relu else "none"
        if other is None:
            y: Tensor = ops._convolution_pointwise(x, self.packed, bias, *places, after, [], "")
            return y
        other = other.contiguous(memory_format=torch.channels_last)
        relu = after if self.relu else None
        y = ops._convolution_pointwise.binary(x, other, self.packed, bias, *places, "add", 1.0, relu, [], None)
        return y

    def _fold(self) -> tuple[Tensor, Tensor | None]:
        weight, bias = self._now(self.conv.weight), self._now(self.conv.bias)
        if (bn := self.bn) is not None and bn.running_mean is not None and bn.running_var is not None:
            scale = (bn.running_var.double() + bn.eps).rsqrt()
            gain, offset = self._now(bn.weight), self._now(bn.bias)
            scale = scale if gain is None else scale * gain.double()
            shift = (0.0 if bias is None else bias.double()) - bn.running_mean.double()
            shift = shift * scale if offset is None else shift * scale + offset.double()
            weight, bias = (weight.double() * scale.view(-1, 1, 1, 1)).float(), shift.float()
        kernel = weight.to(self.dtype).contiguous(memory_format=torch.channels_last)
        return kernel, None if bias is None else bias.to(self.dtype)

    def _now(self, parameter: object) -> GraphValue:
        return self.replaced.get(id(parameter), parameter)


def around(module: nn.Module, replaced: Mapping[int, Tensor]) -> nn.Module:
    """A step's module with other tensors in the place of some parameters (by their ids)."""
    return module.around(replaced) if isinstance(module, Folded) else private_shell(module, replaced)


def fold(steps: Steps, graph: fx.Graph) -> fx.Graph | None:
    """The graph with what folds in one step each (added to ``steps``); None where nothing does."""
    folded = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    folded.output(folded.graph_copy(graph, copies))
    for node in list(folded.nodes):
        conv = _module(steps, node, nn.Conv2d)
        if conv is not None and _foldable(conv):
            _fold_at(steps, folded, node, conv)
        if node.op == "call_method" and node.target == "view":
            node.target = "reshape"  # channels last cannot always be viewed
    return folded if len(steps.folded) else None


def _fold_at(steps: Steps, graph: fx.Graph, node: fx.Node, conv: nn.Conv2d) -> None:
    """Replace a convolution, and what follows it alone, by one step."""
    last, gone = node, [node]
    terms = [node.args[0]]
    norm = None
    if (bn := _only_user(last)) is not None and (norm := _module(steps, bn, nn.BatchNorm2d)) is not None:
        if norm.training or norm.running_mean is None:
            return
        gone.append(last := bn)
    step = Folded(conv, norm)
    if (add := _only_user(last)) is not None and (other := _added_to(add, last)) is not None:
        terms.append(other)
        gone.append(last := add)
    if (relu := _only_user(last)) is not None and _is_relu(steps, relu):
        step.relu = True
        gone.append(last := relu)
    if last is node:
        return
    steps.folded.append(step)
    with graph.inserting_after(last):
        new = graph.call_module(f"folded.{len(steps.folded) - 1}", tuple(terms))
    last.replace_all_uses_with(new)
    for replaced in reversed(gone):
        graph.erase_node(replaced)


def _foldable(conv: nn.Conv2d) -> bool:
    return conv.padding_mode == "zeros" and conv.weight.dtype == torch.float32


def _module(steps: Steps, node: fx.Node, kind: type[M]) -> M | None:
    """The step's module where it is exactly of this kind and nothing hooks into it."""
    if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
        return None
    module = steps.get_submodule(str(node.target))
    hooked = module._forward_hooks or module._forward_pre_hooks
    return module if type(module) is kind and not hooked else None


def _only_user(node: fx.Node) -> fx.Node | None:
    users = list(node.users)
    return users[0] if len(users) == 1 else None


def _added_to(add: fx.Node, term: fx.Node) -> fx.Node | None:
    """The other term of a plain sum, or None."""
    if add.op != "call_function" or add.target not in _ADD_FUNCTIONS or len(add.args) != 2 or add.kwargs:
        return None
    first, second = add.args
    other = second if first is term else first
    return other if isinstance(other, fx.Node) and other is not term else None


def _is_relu(steps: Steps, node: fx.Node) -> bool:
    if node.op == "call_function":
        return node.target in _RELU_FUNCTIONS
    return (node.op == "call_method" and node.target == "relu") or _module(steps, node, nn.ReLU) is not None
