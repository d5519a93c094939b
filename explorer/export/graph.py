"""A traced network put into the words of a slim model: layers with their arguments, and steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.errors import ExplorerError
from explorer.models.slim.document import read
from explorer.models.slim.network import build
from explorer.models.slim.vocabulary import CONSTANTS, LAYERS, METHOD, METHODS, NAME_OF
from explorer.types.aliases import GraphValue
from explorer.types.files.reading.refusal import RefusedError
from explorer.types.inputs import as_inputs, tensors_of

_FIX = "Export the pruned weights instead: they need no description of the network."
_OPS = {"placeholder": "input", "get_attr": "tensor", "call_module": "layer"}


def describe_graph(module: fx.GraphModule, example: object) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(description, tensors) of a traced network; together they are all of it.

    The description is JSON-able and of the kind that ``explorer.models.slim`` reads; it was read
    back and fits the tensors. Tied weights are among the tensors once. Raises ExplorerError
    for a network with layers or functions that the format has no word for.
    """
    # In the order of their first use, which is the order the layers are shown in.
    used = dict.fromkeys(str(n.target) for n in module.graph.nodes if n.op == "call_module")
    loose = list(dict.fromkeys(str(n.target) for n in module.graph.nodes if n.op == "get_attr"))
    layers = {path: _layer(path, module.get_submodule(path)) for path in used}
    tensors, tied = _tensors(module, layers, loose)
    _check_type(tensors)
    parameters = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    inputs = () if example is None else tensors_of(as_inputs(example)).values()
    document = {
        "inputs": [{"shape": list(x.shape[1:]), "dtype": str(x.dtype).removeprefix("torch.")} for x in inputs],
        "layers": layers,
        "tensors": {name: "parameter" if name in parameters else "buffer" for name in loose},
        "tied": tied,
        "steps": [_step(node) for node in module.graph.nodes if node.op != "output"],
        "output": _value(_output(module)),
    }
    try:
        build(read(document), tensors)
    except RefusedError as refusal:
        raise cannot(refusal.why) from None
    return document, tensors


def cannot(why: str) -> ExplorerError:
    """The refusal of a network that has no description."""
    return ExplorerError("This network has no slim form.", why=why, fix=_FIX)


def _check_type(tensors: Mapping[str, Tensor]) -> None:
    other = {str(t.dtype) for t in tensors.values() if t.is_floating_point() and t.dtype != torch.float32}
    if other:
        raise cannot(f"It computes in {other.pop().removeprefix('torch.')}, and the format describes float32 alone.")


def _output(module: fx.GraphModule) -> GraphValue:
    return next(node.args[0] for node in module.graph.nodes if node.op == "output")


def _tensors(
    module: fx.GraphModule, layers: Mapping[str, object], loose: list[str]
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Every tensor once, by its first name, and the other names of tied ones."""
    tensors: dict[str, Tensor] = {}
    tied: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in _named(module, layers, loose):
        if id(tensor) in first:
            tied[name] = first[id(tensor)]
        else:
            first[id(tensor)] = name
            tensors[name] = tensor.detach().cpu().contiguous()
    return tensors, tied


def _named(module: fx.GraphModule, layers: Mapping[str, object], loose: list[str]) -> Iterator[tuple[str, Tensor]]:
    for path in layers:
        for name, tensor in module.get_submodule(path).state_dict(keep_vars=True).items():
            yield f"{path}.{name}", tensor
    for path in loose:
        place, _, name = path.rpartition(".")
        tensor = getattr(module.get_submodule(place), name)
        if not isinstance(tensor, Tensor):
            raise cannot(f"It reads {path!r}, which is no tensor.")
        yield path, tensor


def _layer(path: str, layer: nn.Module) -> dict[str, Any]:
    kind = type(layer).__name__
    if kind not in LAYERS or type(layer) is not getattr(nn, kind):
        raise cannot(f"The layer {path!r} is a {kind}, which the format has no word for.")
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise cannot(f"The layer {path!r} runs code of its own beside its computation.")
    read_one = _read_encoder if kind == "TransformerEncoderLayer" else _read_argument
    arguments = {name: _plain(path, read_one(layer, name)) for name in LAYERS[kind]}
    if getattr(layer, "max_norm", None) is not None:
        raise cannot(f"The embedding {path!r} changes its weights while it runs.")
    if any(getattr(layer, name, None) is not None for name in ("bias_k", "bias_v")):
        raise cannot(f"The attention {path!r} adds a key and a value of its own.")
    return {"type": kind, "args": arguments}


def _read_argument(layer: nn.Module, name: str) -> GraphValue:
    if name == "bias" and not isinstance(getattr(layer, "bias", None), bool):
        inside = "in_proj_bias" if isinstance(layer, nn.MultiheadAttention) else "bias"
        return getattr(layer, inside) is not None
    return getattr(layer, name)


def _read_encoder(layer: Any, name: str) -> GraphValue:
    """The arguments of an encoder layer are spread over its parts."""
    if name == "activation":
        named = {F.relu: "relu", F.gelu: "gelu"}.get(layer.activation)
        if named is None:
            raise cannot("Its encoder layer has an activation other than relu and gelu.")
        return named
    arguments = {
        "d_model": layer.self_attn.embed_dim,
        "nhead": layer.self_attn.num_heads,
        "dim_feedforward": layer.linear1.out_features,
        "dropout": layer.dropout.p,
        "layer_norm_eps": layer.norm1.eps,
        "batch_first": layer.self_attn.batch_first,
        "norm_first": layer.norm_first,
        "bias": layer.linear1.bias is not None,
    }
    return arguments[name]


def _plain(path: str, value: object) -> GraphValue:
    if isinstance(value, tuple | list):
        return [_plain(path, v) for v in value]
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise cannot(f"An argument of the layer {path!r} is no plain number.")


def _step(node: fx.Node) -> dict[str, Any]:
    if node.op == "placeholder" and node.args:
        raise cannot(f"Its input {node.name!r} may be left out.")
    target = _call(node) if node.op in ("call_function", "call_method") else str(node.target)
    taken = node.op not in ("placeholder", "get_attr")
    return {
        "name": node.name,
        "op": _OPS.get(node.op, "call"),
        "target": target.lstrip("*"),
        "args": [_value(v) for v in node.args] if taken else [],
        "kwargs": {k: _value(v) for k, v in node.kwargs.items()} if taken else {},
    }


def _call(node: fx.Node) -> str:
    name = METHOD + str(node.target) if node.op == "call_method" else NAME_OF.get(node.target)
    if name is None or (node.op == "call_method" and name not in METHODS):
        shown = getattr(node.target, "__name__", str(node.target))
        raise cannot(f"It calls {shown}, which the format has no word for.")
    return name


def _value(value: object) -> GraphValue:
    """A value in JSON; what JSON lacks becomes an object with one key."""
    if isinstance(value, fx.Node):
        return {"node": value.name}
    if isinstance(value, slice):
        return {"slice": [_value(v) for v in (value.start, value.stop, value.step)]}
    if isinstance(value, tuple):
        return {"tuple": [_value(v) for v in value]}
    if isinstance(value, list):
        return [_value(v) for v in value]
    if isinstance(value, dict):
        return {"dict": [[str(k), _value(v)] for k, v in value.items()]}
    return _leaf(value)


def _leaf(value: object) -> GraphValue:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if value is ...:
        return {"ellipsis": None}
    if isinstance(value, torch.device):
        return {"device": "cpu"}
    name = str(value).removeprefix("torch.")
    if isinstance(value, torch.dtype | torch.memory_format) and name in CONSTANTS:
        return {"torch": name}
    raise cannot(f"A value of its graph is a {type(value).__name__}, which the format has no word for.")
