from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from explorer.pruning.evidence.running import batches_of, loss_of, private_copy
from explorer.types import LoadedModel, Split

N_BATCHES = 8


class Gradients:
    """Gradients of the mean loss: a tuple with one mapping (parameter -> its shape) for each of a few batches.

    The network is in eval mode: batch norm uses its running statistics, dropout is off. At a
    minimum the gradient over all samples is near zero while those of batches are not, so
    criteria average what they make of each batch.
    """

    key: ClassVar[str] = "gradients"
    labels: ClassVar[bool] = True

    def collect(self, model: LoadedModel, split: Split) -> tuple[dict[str, Tensor], ...]:
        module = private_copy(model, gradients=True)
        named = {name: p for name, p in module.named_parameters() if name in model.weights}
        batch_gradients = []
        for x, y in batches_of(split, N_BATCHES):
            gradients = torch.autograd.grad(loss_of(module, x, y), list(named.values()), allow_unused=True)
            batch_gradients.append(
                {
                    name: torch.zeros_like(p) if g is None else g.detach()
                    for (name, p), g in zip(named.items(), gradients, strict=True)
                }
            )
        return tuple(batch_gradients)
