"""Attention layers of torch, written out in the traced graph as the operations that they stand for.

Inside ``nn.MultiheadAttention`` the number of heads is fixed by the width, so a module with
fewer heads of the same width does not exist. Written out it is two linear maps around
``scaled_dot_product_attention``, and heads can go. Layers that are called with a mask that is
not one of the model's own tensors, or whose attention weights are read, stay as they are.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from explorer.types.aliases import GraphValue

_KNOWN_ACTIVATIONS = (F.relu, F.gelu)
_NO_MATTER = ("need_weights", "average_attn_weights", "is_causal")
_UNKNOWN = object()


def lowered(graph: fx.GraphModule) -> fx.GraphModule:
    """The same graph with every attention layer that can be written out written out, in place."""
    for node in list(graph.graph.nodes):
        writer = _writer(graph, node) if node.op == "call_module" else None
        if writer is None:
            continue
        with graph.graph.inserting_before(node):
            output = writer()
        _replace(node, output, gives_weights=isinstance(graph.get_submodule(str(node.target)), nn.MultiheadAttention))
    graph.graph.eliminate_dead_code(_has_effect)
    graph.recompile()
    return graph


def _has_effect(node: fx.Node) -> bool:
    """Whether a step is needed though nobody reads what it gives: it writes into what it is given."""
    writes = node.op == "call_method" and str(node.target).endswith("_") and not str(node.target).endswith("__")
    return writes or node.is_impure()


def _writer(graph: fx.GraphModule, node: fx.Node) -> Callable[[], fx.Node] | None:
    """What writes this node out; None where it must stay one node."""
    module: Any = graph.get_submodule(str(node.target))
    path, write = str(node.target), _Write(graph.graph)
    n_inputs = 3 if type(module) is nn.MultiheadAttention else 1
    mask = _mask(graph, node, n_inputs)
    if mask is _UNKNOWN or not all(isinstance(x, fx.Node) for x in node.args[:n_inputs]):
        return None
    x = node.args[0]
    if type(module) is nn.MultiheadAttention and _gives_no_weights(node) and _is_plain(module):
        return lambda: write.attention(path, module, *node.args[:3], mask=mask)
    if type(module) is nn.TransformerEncoderLayer and _is_known(module):
        return lambda: write.encoder_layer(path, module, x, mask)
    if type(module) is nn.TransformerEncoder and all(map(_is_known, module.layers)):
        return lambda: write.encoder(path, module, x, mask)
    return None


def _mask(graph: fx.GraphModule, node: fx.Node, n_inputs: int) -> GraphValue:
    """(node of the mask over pairs of places, whether True in it means *away*); _UNKNOWN: something else is given."""
    options = {name: value for name, value in node.kwargs.items() if name not in _NO_MATTER}
    mask: GraphValue = next((options.pop(name) for name in ("attn_mask", "src_mask", "mask") if name in options), None)
    if len(node.args) != n_inputs or any(options.values()):
        return _UNKNOWN
    if mask is None:
        return None
    source = mask
    while isinstance(source, fx.Node) and source.target is operator.getitem and _slices_only(source.args[1]):
        source = source.args[0]
    if not isinstance(source, fx.Node) or source.op != "get_attr":
        return _UNKNOWN
    path, _, key = str(source.target).rpartition(".")
    tensor = getattr(graph.get_submodule(path), key)
    return (mask, tensor.dtype == torch.bool) if tensor.dim() == 2 else _UNKNOWN


def _slices_only(index: object) -> bool:
    return all(isinstance(part, slice) for part in (index if isinstance(index, tuple) else (index,)))


def _gives_no_weights(node: fx.Node) -> bool:
    picks = [user for user in node.users if user.target is operator.getitem]
    return len(picks) == len(node.users) and not any(pick.args[1] == 1 and pick.users for pick in picks)


def _is_plain(module: nn.MultiheadAttention) -> bool:
    return module.bias_k is None and not module.add_zero_attn


def _is_known(module: object) -> bool:
    if type(module) is not nn.TransformerEncoderLayer:
        return False
    return isinstance(module.activation, nn.Module) or module.activation in _KNOWN_ACTIVATIONS


def _replace(node: fx.Node, output: fx.Node, *, gives_weights: bool) -> None:
    """Attention gives (output, weights): whoever picks the output reads ``output``."""
    picks = [user for user in node.users if user.target is operator.getitem and user.args[0] is node]
    for pick in picks if gives_weights else []:
        pick.replace_all_uses_with(output)
        node.graph.erase_node(pick)
    node.replace_all_uses_with(output)
    node.graph.erase_node(node)


class _Write:
    """Adds nodes to a graph at its present point of insertion."""

    def __init__(self, graph: fx.Graph) -> None:
        self.graph = graph

    def encoder(self, path: str, module: Any, x: GraphValue, mask: GraphValue) -> fx.Node:
        for i, layer in enumerate(module.layers):
            x = self.encoder_layer(f"{path}.layers.{i}", layer, x, mask)
        return x if module.norm is None else self.graph.call_module(f"{path}.norm", (x,))

    def encoder_layer(self, path: str, module: Any, x: GraphValue, mask: GraphValue) -> fx.Node:
        before = set(self.graph.nodes)
        out = self._layer(path, module, x, mask)
        for node in set(self.graph.nodes) - before:
            node.meta["nn_module_stack"] = {path: (path, type(module))}
        return out

    def _layer(self, path: str, module: Any, x: GraphValue, mask: GraphValue) -> fx.Node:
        add, layer = self.graph.call_function, self.graph.call_module
        if module.norm_first:
            seen = layer(f"{path}.norm1", (x,))
            x = add(
                operator.add, (x, self.attention(f"{path}.self_attn", module.self_attn, seen, seen, seen, mask=mask))
            )
            return add(operator.add, (x, self._feed_forward(path, module, layer(f"{path}.norm2", (x,)))))
        mixed = add(operator.add, (x, self.attention(f"{path}.self_attn", module.self_attn, x, x, x, mask=mask)))
        x = layer(f"{path}.norm1", (mixed,))
        return layer(f"{path}.norm2", (add(operator.add, (x, self._feed_forward(path, module, x))),))

    def _feed_forward(self, path: str, module: Any, x: fx.Node) -> fx.Node:
        up = self.graph.call_module(f"{path}.linear1", (x,))
        if isinstance(module.activation, nn.Module):
            up = self.graph.call_module(f"{path}.activation", (up,))
        else:
            up = self.graph.call_function(module.activation, (up,))
        return self.graph.call_module(f"{path}.linear2", (up,))

    def attention(
        self, path: str, module: Any, query: GraphValue, key: GraphValue, value: GraphValue, *, mask: GraphValue = None
    ) -> fx.Node:
        """(..., tokens, width) three times -> (..., tokens, width)."""
        call = self.graph.call_method
        if not module.batch_first:
            turned = {x: call("transpose", (x, 0, -2)) for x in dict.fromkeys((query, key, value))}
            query, key, value = turned[query], turned[key], turned[value]
        q, k, v = self._heads(path, module, query, key, value)
        options = {}
        if mask is not None:
            node, is_away = mask
            options = {"attn_mask": self.graph.call_function(torch.logical_not, (node,)) if is_away else node}
        mixed = self.graph.call_function(F.scaled_dot_product_attention, (q, k, v), options)
        merged = call("flatten", (call("transpose", (mixed, -3, -2)), -2))
        weight = self.graph.get_attr(f"{path}.out_proj.weight")
        bias = None if module.out_proj.bias is None else self.graph.get_attr(f"{path}.out_proj.bias")
        out = self.graph.call_function(F.linear, (merged, weight, bias))
        return out if module.batch_first else call("transpose", (out, 0, -2))

    def _heads(self, path: str, module: Any, *inputs: fx.Node) -> list[fx.Node]:
        """(..., heads, tokens, head width) of query, key and value."""
        call, pick = self.graph.call_method, operator.getitem
        n_heads, width = module.num_heads, module.embed_dim
        bias = None if module.in_proj_bias is None else self.graph.get_attr(f"{path}.in_proj_bias")
        if module.in_proj_weight is not None and len(set(inputs)) == 1:
            weight = self.graph.get_attr(f"{path}.in_proj_weight")
            packed = self.graph.call_function(F.linear, (inputs[0], weight, bias))
            split = call("movedim", (call("unflatten", (packed, -1, (3, n_heads, width // n_heads))), -3, 0))
            parts = [self.graph.call_function(pick, (split, i)) for i in range(3)]
            return [call("transpose", (part, -3, -2)) for part in parts]
        heads = []
        for i, x in enumerate(inputs):
            rows = slice(i * width, (i + 1) * width)
            if module.in_proj_weight is not None:
                whole = self.graph.get_attr(f"{path}.in_proj_weight")
                weight = self.graph.call_function(pick, (whole, rows))
            else:
                weight = self.graph.get_attr(f"{path}.{'qkv'[i]}_proj_weight")
            own = None if bias is None else self.graph.call_function(pick, (bias, rows))
            flat = self.graph.call_function(F.linear, (x, weight, own))
            heads.append(call("transpose", (call("unflatten", (flat, -1, (n_heads, width // n_heads))), -3, -2)))
        return heads
