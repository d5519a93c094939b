"""LSTM and GRU steps whose weights stand in the file, as layers of ``torch.nn``.

ONNX holds the gates of both directions in one tensor and in an order of its own; torch has a parameter for each
direction. Both are views of the same blocks of rows, so that what is pruned here is written back into its place.
"""

from __future__ import annotations

import torch
from torch import fx, nn

from explorer.models.from_onnx.lifting import Lifting, attributes, given
from explorer.models.from_onnx.origin import Origin
from explorer.models.libraries.imported import Foreign

_KINDS: dict[str, Foreign] = {"LSTM": nn.LSTM, "GRU": nn.GRU}
_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2)}  # torch's order of gates, by their places in ONNX
_USUAL = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh")}
_ENDINGS = ("_l0", "_l0_reverse")
_MOVES = {"Squeeze", "Unsqueeze", "Slice", "Expand", "Identity", "Transpose", "Reshape", "Concat", "Cast"}


def recurrent(b: Lifting, node: Foreign) -> list[fx.Node] | None:
    """The layer, run from its initial states; None where torch's layer of this kind computes something else."""
    kind, about = node.op_type, attributes(node)
    weight, again, bias = (b.constant(given(node, place)) for place in (1, 2, 3))
    if weight is None or again is None or (bias is None and given(node, 3)) or not _is_usual(node, about):
        return None
    backward, both = about.get("direction") == "reverse", about.get("direction") == "bidirectional"
    size = again.shape[-1]
    with torch.device("meta"):
        module = _KINDS[kind](weight.shape[-1], size, bias=bias is not None, bidirectional=both)
    states = [b.get_value(name) for name in _states(b, node)]
    x = b.get_value(node.input[0])
    inputs = (b.plain(torch.flip, x, (0,)) if backward else x, *_initial(kind, states))
    answer = b.layer(node, module, _places(node, 2 if both else 1), *inputs)
    outputs = _outputs(b, kind, answer, size if both else 0, backward)
    if not backward and (end := _joined(b, node, size if both else 0)):
        b.fused[end] = b.item(answer, 0)
    return outputs


def _is_usual(node: Foreign, about: dict[str, Foreign]) -> bool:
    """Whether a step computes what torch's layer does: its activations, no lengths, no peepholes, time first."""
    names = [name.decode() if isinstance(name, bytes) else name for name in about.get("activations") or ()]
    usual = _USUAL[node.op_type]
    odd = any(about.get(name) for name in ("clip", "input_forget", "layout", "activation_alpha", "activation_beta"))
    reset = node.op_type == "LSTM" or about.get("linear_before_reset", 0) == 1
    plain = all(tuple(names[i : i + len(usual)]) == usual for i in range(0, len(names), len(usual)))
    return plain and reset and not odd and not given(node, 4) and not given(node, 7)


def _places(node: Foreign, n_directions: int) -> dict[str, Origin]:
    """Where each parameter of the layer stands in the file."""
    gates, names = _GATES[node.op_type], [given(node, place) for place in (1, 2, 3)]
    n, places = len(gates), {}
    for direction, ending in zip(range(n_directions), _ENDINGS, strict=False):
        rows = tuple(direction * n + gate for gate in gates)
        for key, name in zip(("weight_ih", "weight_hh"), names[:2], strict=True):
            places[key + ending] = Origin(name, blocks=rows, of=n_directions * n)
        for key, first in (("bias_ih", 2 * direction * n), ("bias_hh", (2 * direction + 1) * n)):
            rows = tuple(first + gate for gate in gates)
            places[key + ending] = Origin(names[2], blocks=rows, of=2 * n_directions * n)
    return {key: origin for key, origin in places.items() if origin.name}


def _states(b: Lifting, node: Foreign) -> list[str]:
    """The names of the initial states, as many as the layer has; none where all are zero, as torch starts them."""
    names = [given(node, place) for place in ((5, 6) if node.op_type == "LSTM" else (5,))]
    return [] if all(not name or _is_zero(b, name) for name in names) else names


def _is_zero(b: Lifting, name: str) -> bool:
    """Whether a value is zeros, whatever its size."""
    value = b.constant(name)
    if value is not None:
        return not bool(value.any())
    node = b.makers.get(name)
    if node is None:
        return False
    if node.op_type == "ConstantOfShape":
        filling = attributes(node).get("value")
        return filling is None or not bool(b.load_tensor(filling).any())
    sources = list(node.input) if node.op_type == "Concat" else list(node.input[:1])
    return node.op_type in _MOVES and all(_is_zero(b, source) for source in sources)


def _initial(kind: str, states: list[fx.Node]) -> list[Foreign]:
    if not states:
        return []
    return [tuple(states)] if kind == "LSTM" else states


def _outputs(b: Lifting, kind: str, answer: fx.Node, both: int, backward: bool) -> list[fx.Node]:
    """The values of all times with a dimension for the directions, and the last states. ``both``: units a direction."""
    values, last = b.item(answer, 0), b.item(answer, 1)
    if backward:
        values = b.plain(torch.flip, values, (0,))
    if both:
        values = b.plain(torch.permute, b.plain(torch.unflatten, values, 2, (2, both)), (0, 2, 1, 3))
    else:
        values = b.plain(torch.unsqueeze, values, 1)
    return [values, *([b.item(last, 0), b.item(last, 1)] if kind == "LSTM" else [last])]


def _joined(b: Lifting, node: Foreign, both: int) -> str:
    """What makes of the values with a dimension for the directions those that torch gives at once; "" where nothing."""
    after = b.sole_user(node.output[0]) if node.output[0] else None
    if after is not None and after.op_type == "Squeeze" and not both:
        axes = attributes(after).get("axes") or b.fixed(given(after, 1))
        return after.output[0] if list(axes or ()) == [1] else ""
    if after is None or after.op_type != "Transpose" or attributes(after).get("perm") != [0, 2, 1, 3]:
        return ""
    last = b.sole_user(after.output[0])
    if last is None or last.op_type != "Reshape" or b.fixed(given(last, 1)) not in ([0, 0, -1], [0, 0, 2 * both]):
        return ""
    return str(last.output[0]) if both else ""


HANDLERS = {"LSTM": recurrent, "GRU": recurrent}
