"""Means and norms over channels some of which are gone: computed with as many zeros, as in the masked network."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.pruning.coupling.views import any_along
from explorer.types.aliases import GraphValue, NamedArguments
from explorer.types.operators import Rule, rule_of

Alive = Callable[[Tensor], Tensor]
WIDE = (Rule.LAYER_NORM, Rule.RMS_NORM, Rule.GROUP_NORM)


def is_wide(module: object) -> bool:
    """Whether the layer normalises over all its channels."""
    return isinstance(module, nn.LayerNorm | nn.RMSNorm) or (
        isinstance(module, nn.GroupNorm) and module.num_groups == 1
    )


def widened(graph: fx.GraphModule, node: fx.Node, given: Tensor, alive: Alive) -> None:
    """Let a normalisation see a zero for every channel that is gone, and scale only what is left."""
    rule = rule_of(node.target) if node.op == "call_function" else None
    norm = _of_module(graph, node) if rule is None else _of_function(node, rule)
    if norm is None:
        _fewer_groups(node, given, alive)
        return
    function, options, weight, bias = norm
    dim = 1 if function is F.group_norm else given.dim() - 1
    line = any_along(alive(given), dim)
    n_left, width = int(line.sum()), len(line)
    call, behind = graph.graph.call_function, given.dim() - 1 - dim
    with graph.graph.inserting_before(node):
        zeros = call(F.pad, (node.args[0], (*[0, 0] * behind, 0, width - n_left)))
        result = call(function, (zeros, 1 if function is F.group_norm else (width,)), options)
        result = call(torch.narrow, (result, dim, 0, n_left))
        for scale, combine in ((weight, torch.mul), (bias, torch.add)):
            if scale is not None:
                if behind:
                    scale = call(torch.reshape, (scale, (-1, *[1] * behind)))
                result = call(combine, (result, scale))
    node.replace_all_uses_with(result)
    graph.graph.erase_node(node)


_Norm = tuple[GraphValue, NamedArguments, GraphValue, GraphValue]


def _of_module(graph: fx.GraphModule, node: fx.Node) -> _Norm:
    module: GraphValue = graph.get_submodule(str(node.target))
    function = {nn.LayerNorm: F.layer_norm, nn.RMSNorm: F.rms_norm, nn.GroupNorm: F.group_norm}
    called = next(function[kind] for kind in function if isinstance(module, kind))
    with graph.graph.inserting_before(node):
        tensors = [
            graph.graph.get_attr(f"{node.target}.{name}") if getattr(module, name, None) is not None else None
            for name in ("weight", "bias")
        ]
    return called, {"eps": module.eps}, tensors[0], tensors[1]


def _of_function(node: fx.Node, rule: Rule) -> _Norm | None:
    if rule is Rule.GROUP_NORM and _argument(node, "num_groups", 1) != 1:
        return None
    function = {Rule.LAYER_NORM: F.layer_norm, Rule.RMS_NORM: F.rms_norm, Rule.GROUP_NORM: F.group_norm}[rule]
    has_bias = rule is not Rule.RMS_NORM
    eps = _argument(node, "eps", 4 if has_bias else 3)
    options = {} if eps is None else {"eps": eps}
    return function, options, _argument(node, "weight", 2), _argument(node, "bias", 3) if has_bias else None


def _fewer_groups(node: fx.Node, given: Tensor, alive: Alive) -> None:
    """Groups of channels go as a whole."""
    n_groups: GraphValue = _argument(node, "num_groups", 1)
    left = any_along(alive(given), 1)
    node.args = (node.args[0], int(left.sum()) * n_groups // len(left), *node.args[2:])
    node.kwargs = {name: value for name, value in node.kwargs.items() if name != "num_groups"}


def averaged(node: fx.Node, given: Tensor, alive: Alive) -> None:
    """A mean over channels some of which are gone is their sum by the number that there were."""
    name = str(getattr(node.target, "__name__", node.target))
    dims: GraphValue = _argument(node, "dim", 1)
    dims = list(range(given.dim())) if dims is None else ([dims] if isinstance(dims, int) else list(dims))
    lines = [any_along(alive(given), d) for d in dims]
    if name != "mean" or all(bool(line.all()) for line in lines):
        return
    was, left = (1, 1)
    for line in lines:
        was, left = was * len(line), left * int(line.sum())
    with node.graph.inserting_after(node):
        scaled = node.graph.call_function(torch.mul, (node, left / was))
    node.replace_all_uses_with(scaled)
    scaled.args = (node, left / was)


def _argument(node: fx.Node, name: str, place: int) -> GraphValue:
    return node.kwargs.get(name, node.args[place] if len(node.args) > place else None)
