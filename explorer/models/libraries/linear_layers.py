"""GPT-2's ``Conv1D``: a linear layer whose weight is stored as (inputs, outputs), turned into one as all others are."""

from __future__ import annotations

from torch import nn

from explorer.models.libraries.imported import library
from explorer.text.names import listed


def with_linear_layers(module: nn.Module) -> tuple[list[str], list[str]]:
    """Put a ``Linear`` of the same answers in the place of every ``Conv1D``: what to say, and the turned weights.

    Criteria, units, MACs and channels then see rows that are outputs, as in every other layer. A file that is
    written turns them back.
    """
    kind = library("transformers.pytorch_utils").Conv1D
    layers = [(name, part) for name, part in module.named_modules() if isinstance(part, kind)]
    for name, layer in layers:
        n_in, n_out = layer.weight.shape
        linear = nn.Linear(n_in, n_out, dtype=layer.weight.dtype)
        linear.weight = nn.Parameter(layer.weight.detach().t().contiguous(), requires_grad=False)
        linear.bias = layer.bias
        path, _, key = name.rpartition(".")
        setattr(module.get_submodule(path), key, linear.train(layer.training))
    names = [name for name, _ in layers]
    note = (
        f"Conv1D stores (inputs, outputs); here its rows are outputs, and files hold it as it was: {listed(names, 3)}."
    )
    return ([note] if names else []), [f"{name}.weight" for name in names]
