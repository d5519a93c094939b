"""Attention heads found by the names of layers and attributes, where a network could not be traced.

What a head owns follows from how attention modules are written everywhere: query, key and value
are linear layers (or one packed layer) whose rows lie head by head, and an output projection
whose columns do. Such heads can be masked; cut out they can not, for the code that counts them
was not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.types import LayerTable, LoadedModel, Part, PruningGroup

BY_NAME = "found by name, not by tracing: can be masked, not cut out"
_SEPARATE = (
    ("q_proj", "k_proj", "v_proj"), ("query", "key", "value"), ("q", "k", "v"), ("q_lin", "k_lin", "v_lin"),
    ("to_q", "to_k", "to_v"), ("query_proj", "key_proj", "value_proj"),
)  # fmt: skip
_PACKED = ("qkv", "in_proj", "query_key_value", "qkv_proj", "to_qkv", "c_attn", "Wqkv")
_OUT = ("out_proj", "o_proj", "proj", "dense", "out_lin", "o", "to_out", "out", "wo", "output", "c_proj")
_N_HEADS = ("num_heads", "num_attention_heads", "n_heads", "n_head", "heads")


def heads_by_name(model: LoadedModel, layers: LayerTable, taken: set[str]) -> list[PruningGroup]:
    """One group for each attention module whose layers are not ``taken`` by name."""
    if model.module is None:
        return []
    names = {id(tensor): name for name, tensor in model.module.named_parameters()}
    layer_names = {layer.parameter: layer.name for layer in layers.prunable}
    groups = []
    for module in model.module.modules():
        parts = tuple(_parts(module, names))
        scored = [layer_names[p.parameter] for p in parts if p.role == "scored" and p.parameter in layer_names]
        if scored and len(scored) == sum(p.role == "scored" for p in parts) and not taken & set(scored):
            taken = taken | set(scored)
            groups.append(_group(scored, parts, model, layers))
    return groups


def _group(scored: list[str], parts: tuple[Part, ...], model: LoadedModel, layers: LayerTable) -> PruningGroup:
    first = layers[scored[0]]
    n_weights = sum(model.weights[p.parameter].numel() for p in parts if p.role == "scored")
    n_heads = int(parts[0].units.max()) + 1
    coupled = ("one head of an attention", BY_NAME)
    return PruningGroup(
        first.name, tuple(scored), n_heads, "head", n_weights, first.block, first.kind, coupled_by=coupled, parts=parts
    )


def _parts(module: Any, names: Mapping[int, str]) -> Iterator[Part]:
    n_heads = next((n for n in (getattr(module, a, None) for a in _N_HEADS) if isinstance(n, int) and n > 0), 0)
    rows = _projections(module) if n_heads else []
    if not rows or any(weight.shape[0] % (n_heads * times) for weight, _, times in rows):
        return
    for weight, bias, times in rows:
        units = torch.arange(n_heads).repeat_interleave(weight.shape[0] // (n_heads * times)).repeat(times)
        if id(weight) in names:
            yield Part(names[id(weight)], 0, units, "scored")
        if bias is not None and id(bias) in names:
            yield Part(names[id(bias)], 0, units, "follows")
    width = rows[-1][0].shape[0] // rows[-1][2]
    out = next((m.weight for m in _children(module, _OUT) if m.weight.shape[1] == width), None)
    if out is not None and id(out) in names:
        yield Part(names[id(out)], 1, torch.arange(n_heads).repeat_interleave(width // n_heads), "consumes")


def _projections(module: Any) -> list[tuple[Tensor, Tensor | None, int]]:
    """(weight, bias, how many of query, key and value it holds) of an attention module; [] where it is none."""
    if isinstance(module, nn.MultiheadAttention):
        if module.in_proj_weight is None:
            return []
        return [(module.in_proj_weight, module.in_proj_bias, 3)]
    for three in _SEPARATE:
        children = list(_children(module, three))
        if len(children) == 3 and len({m.weight.shape[0] for m in children}) == 1:
            return [(m.weight, m.bias, 1) for m in children]
    packed = next((m for m in _children(module, _PACKED) if m.weight.shape[0] % 3 == 0), None)
    return [] if packed is None else [(packed.weight, packed.bias, 3)]


def _children(module: nn.Module, names: tuple[str, ...]) -> Iterator[nn.Linear]:
    for name in names:
        child = getattr(module, name, None)
        child = child[0] if isinstance(child, nn.Sequential) and len(child) else child
        if isinstance(child, nn.Linear):
            yield child
