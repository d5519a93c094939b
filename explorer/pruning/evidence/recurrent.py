"""What the weights of recurrent layers are multiplied by: inputs, and the states of the step before."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from explorer.types.aliases import CallArguments

SEQUENCES = ("lstm", "gru", "rnn_tanh", "rnn_relu")
CELLS = ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell")


def read_by_cell(name: str, args: CallArguments) -> Iterator[tuple[Tensor, Tensor]]:
    """(weight, inputs) of one step of a recurrent cell."""
    x, state, w_input, w_hidden = args[:4]
    yield w_input, x
    yield w_hidden, state[0] if name == "lstm_cell" else state


def read_by_layers(name: str, args: CallArguments) -> Iterator[tuple[Tensor, Tensor]]:
    """(weight, inputs) for the layers of a recurrent network, found by running them one by one.

    Nothing for packed sequences and for projected states: what those read cannot be told from outside.
    """
    if len(args) != 9 or not isinstance(args[3], bool):
        return  # a packed sequence
    x, state, flat, has_biases, n_layers, _, _, two_ways, batch_first = args
    n_ways = 2 if two_ways else 1
    size = len(flat) // (n_layers * n_ways)
    if size != (4 if has_biases else 2):
        return  # a projection
    states = state if name == "lstm" else (state,)
    function = getattr(torch, name)
    for layer in range(n_layers):
        ways = slice(layer * n_ways, (layer + 1) * n_ways)
        own = flat[layer * n_ways * size : (layer + 1) * n_ways * size]
        start = tuple(part[ways] for part in states)
        given = start if name == "lstm" else start[0]
        out = function(x, given, own, has_biases, 1, 0.0, False, two_ways, batch_first)[0]
        for way in range(n_ways):
            yield own[way * size], x
            yield own[way * size + 1], _before(out, start[0][way], way, n_ways, batch_first=batch_first)
        x = out


def _before(out: Tensor, start: Tensor, way: int, n_ways: int, *, batch_first: bool) -> Tensor:
    """The state before each step, (..., hidden); the second way runs from the end."""
    time = 1 if batch_first and out.dim() == 3 else 0
    width = out.shape[-1] // n_ways
    own = out[..., way * width : (way + 1) * width]
    first = start.unsqueeze(time)
    n = own.shape[time]
    if way == 0:
        return torch.cat([first, own.narrow(time, 0, n - 1)], dim=time)
    return torch.cat([own.narrow(time, 1, n - 1), first], dim=time)
