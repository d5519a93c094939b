"""Where the numbers of a gone channel are zero in the masked network: there a sum over channels is the same without."""

from __future__ import annotations

from torch import Tensor, fx, nn

from explorer.types.aliases import GraphValue
from explorer.types.operators import OPERATORS, Rule, layer_classes, operator_of

_WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear, nn.Embedding)
_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_NORM_RULES = (Rule.LAYER_NORM, Rule.RMS_NORM, Rule.GROUP_NORM, Rule.BATCH_NORM)
_ALL = {Rule.MOVE, Rule.JOIN, Rule.SUM}
_FIRST = {Rule.SPATIAL, Rule.REDUCTION, Rule.PAD, Rule.GATED, Rule.PIXEL_SHUFFLE, Rule.PRELU, Rule.LENGTH}
_ANY = {Rule.MATRIX_PRODUCT, Rule.EINSUM}
_MADE = {Rule.MATRIX_SUM, Rule.LINEAR, Rule.CONVOLUTION, Rule.TRANSPOSED, Rule.EMBEDDING}
_QUOTIENTS = {"div", "truediv", "div_", "itruediv"}


class Vanishing:
    """Answers for each node of a graph, asked in the order of the graph."""

    def __init__(self, graph: fx.GraphModule) -> None:
        self._graph = graph
        self._zero: dict[fx.Node, bool] = {}

    def __call__(self, node: fx.Node) -> bool:
        """Whether what a gone channel holds at this node is zero, whatever comes in."""
        queue = [node]
        while queue:
            last = queue[-1]
            missing = [x for x in last.all_input_nodes if x not in self._zero]
            if last not in self._zero and not missing:
                self._zero[last] = self._of(last)
            if missing:
                queue += missing
            else:
                queue.pop()
        return self._zero[node]

    def _of(self, node: fx.Node) -> bool:
        if node.op == "placeholder":
            return True  # data never goes
        if node.op == "get_attr":
            path, _, key = str(node.target).rpartition(".")
            return isinstance(getattr(self._graph.get_submodule(path), key), nn.Parameter)  # buffers are not masked
        inputs = [self._zero[x] if isinstance(x, fx.Node) else _is_zero(x) for x in _operands(node)]
        if node.op == "call_module":
            return self._of_module(self._graph.get_submodule(str(node.target)), inputs)
        op = operator_of(node.target)
        if op is not None and op.rule in _NORM_RULES:
            return isinstance(_given(node, "weight", 3 if op.rule is Rule.BATCH_NORM else 2), fx.Node)
        return op is not None and _of_operator(node, op.rule, op.keeps_zeros, inputs)

    def _of_module(self, module: nn.Module, inputs: list[bool]) -> bool:
        if isinstance(module, _WEIGHTED):
            return True
        if isinstance(module, _NORMS):
            return isinstance(getattr(module, "weight", None), Tensor)
        keeps = isinstance(module, (*_zero_layers(), nn.PReLU, nn.Flatten, nn.Unflatten, nn.ChannelShuffle, nn.GLU))
        return keeps and all(inputs)


def _of_operator(node: fx.Node, rule: Rule | None, keeps_zeros: bool | None, inputs: list[bool]) -> bool:
    if rule is Rule.UNARY:
        is_power = str(getattr(node.target, "__name__", node.target)).startswith("pow") and _is_positive(node.args[1:])
        return bool(keeps_zeros or is_power) and inputs[0]
    if rule in _MADE:
        return True
    if rule in _ALL:
        return all(inputs)
    if rule is Rule.PRODUCT:
        name = str(getattr(node.target, "__name__", node.target))
        if name in ("maximum", "minimum"):
            return all(inputs)
        return inputs[0] if name in _QUOTIENTS else any(inputs)
    if rule in _FIRST:
        return inputs[0] and (rule is not Rule.PAD or _is_zero(_given(node, "value", 3) or 0))
    if rule is Rule.PRODUCT_SUM:
        return inputs[0] and any(inputs[1:])
    if rule in _ANY:
        return any(inputs)
    return rule is Rule.ATTENTION and inputs[2]


def _operands(node: fx.Node) -> list[GraphValue]:
    """The tensors that an operation is made of, and the numbers that stand beside them in sums and products."""
    op = operator_of(node.target) if node.op != "call_module" else None
    if op is not None and op.rule in (Rule.SUM, Rule.PRODUCT):
        return list(node.args[:2])
    if op is not None and op.rule is Rule.JOIN and isinstance(node.args[0], list | tuple):
        return list(node.args[0])
    if op is not None and op.rule is Rule.EINSUM:
        return list(node.all_input_nodes)
    if op is not None and op.rule in (Rule.ATTENTION, Rule.MATRIX_PRODUCT, Rule.PRODUCT_SUM):
        return list(node.args[:3])
    return list(node.args[:1])


def _given(node: fx.Node, name: str, place: int) -> GraphValue:
    return node.kwargs.get(name, node.args[place] if len(node.args) > place else None)


def _is_zero(value: object) -> bool:
    return isinstance(value, int | float) and value == 0


def _is_positive(arguments: tuple[GraphValue, ...]) -> bool:
    return len(arguments) == 1 and isinstance(arguments[0], int | float) and arguments[0] > 0


def _zero_layers() -> tuple[type[nn.Module], ...]:
    unary = tuple(getattr(nn, op.layer) for op in OPERATORS if op.unary and op.layer and op.keeps_zeros)
    return (*unary, *layer_classes(Rule.SPATIAL))
