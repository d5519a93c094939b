"""What recurrent layers do to channel labels: a hidden unit is its gate rows and its recurrent columns.

All layers and both directions of one module have the same number of hidden units by its
definition; the k-th units of all of them are one unit, so that the smaller module exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from explorer.errors import Refusal
from explorer.pruning.coupling.uses import Uses
from explorer.pruning.coupling.views import is_labels
from explorer.pruning.operators.layers import channels
from explorer.types.aliases import GraphValue

KIND = "hidden unit"
LAYERS = (nn.RNNBase, nn.RNNCellBase)


def recurrent(uses: Uses, module: Any, x: Tensor, states: list[Tensor]) -> GraphValue:
    """Labels of everything that an RNN, LSTM, GRU or one of their cells gives for ``x``.

    ``states``: the initial ones, as labels, or as numbers where they do not come from the input.
    """
    hidden = _hidden(uses, module)
    inputs = channels(uses, x, -1, "a recurrent layer")
    for w_ih, _, _ in _weights(module)[: _n_directions(module)]:
        uses.columns(w_ih, 1, inputs)
    for state in states:
        if is_labels(state):
            uses.labels.join(state, hidden.expand(state.shape), "a state handed on")
        elif bool(state.any()):
            uses.labels.freeze(hidden, "a recurrent layer that starts from a fixed state")
    if isinstance(module, nn.RNNCellBase):
        outputs = hidden.expand(*x.shape[:-1], len(hidden))
        return (outputs, outputs) if isinstance(module, nn.LSTMCell) else outputs
    output, last = module(torch.zeros(x.shape, dtype=next(module.parameters()).dtype))
    one = hidden.expand((last[0] if isinstance(last, tuple) else last).shape)
    return hidden.repeat(_n_directions(module)).expand(output.shape), (one, one) if isinstance(last, tuple) else one


def why_not(module: object) -> Refusal | None:
    """The reason where the hidden units of this module cannot be followed."""
    return Refusal("a recurrent layer with a projection") if getattr(module, "proj_size", 0) else None


def _hidden(uses: Uses, module: Any) -> Tensor:
    """(hidden_size,) labels; noted for all weights at the first call, the same at the next."""
    n, existing = module.hidden_size, [u for u in uses.all if u.parameter == uses.names[id(_weights(module)[0][1])]]
    for use in existing:
        if use.role == "consumes":
            return use.labels
    hidden = uses.labels.fresh(n)
    uses.labels.mark(hidden, KIND)
    n_directions = _n_directions(module)
    for i, (w_ih, w_hh, biases) in enumerate(_weights(module)):
        gates = hidden.repeat(w_hh.shape[0] // n)
        uses.add(w_ih, 0, gates, "scored")
        uses.add(w_hh, 0, gates, "scored")
        uses.add(w_hh, 1, hidden, "consumes")
        for bias in biases:
            uses.add(bias, 0, gates, "follows")
        if i >= n_directions:
            uses.add(w_ih, 1, hidden.repeat(n_directions), "consumes")
    return hidden


def _n_directions(module: object) -> int:
    return 2 if getattr(module, "bidirectional", False) else 1


def _weights(module: object) -> list[tuple[Tensor, Tensor, list[Tensor]]]:
    """(input weight, recurrent weight, biases) of every layer and direction, in order."""
    return list(_each(module))


def _each(module: object) -> Iterator[tuple[Tensor, Tensor, list[Tensor]]]:
    suffixes = [""]
    if isinstance(module, nn.RNNBase):
        directions = ("", "_reverse") if module.bidirectional else ("",)
        suffixes = [f"_l{layer}{direction}" for layer in range(module.num_layers) for direction in directions]
    for suffix in suffixes:
        biases = [getattr(module, f"{name}{suffix}", None) for name in ("bias_ih", "bias_hh")]
        yield (
            getattr(module, f"weight_ih{suffix}"),
            getattr(module, f"weight_hh{suffix}"),
            [bias for bias in biases if bias is not None],
        )
