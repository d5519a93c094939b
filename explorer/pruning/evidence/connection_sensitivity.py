from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.evidence.running import batches_of, loss_of, private_copy
from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel, Split

_AT_ONCE = 64


class ConnectionSensitivity:
    """|w dL/dw| of the loss over all samples at once, as parts of its sum over all prunable weights.

    A mapping (parameter -> its shape), prunable parameters only. The network is in eval mode.
    """

    key: ClassVar[str] = "connection_sensitivity"
    labels: ClassVar[bool] = True

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        module = private_copy(model, gradients=True)
        prunable = {layer.parameter for layer in layer_table(model).prunable}
        named = {name: p for name, p in module.named_parameters() if name in prunable}
        gradient = {name: torch.zeros_like(p) for name, p in named.items()}
        for x, y in batches_of(split, -(-len(split) // _AT_ONCE)):
            loss = loss_of(module, x, y) * (len(x) / len(split))
            gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
            for name, part in zip(named, gradients, strict=True):
                if part is not None:
                    gradient[name] += part
        felt = {name: (p.detach() * gradient[name]).abs() for name, p in named.items()}
        total = sum(float(values.double().sum()) for values in felt.values())
        return {name: values / total if total > 0 else values for name, values in felt.items()}
