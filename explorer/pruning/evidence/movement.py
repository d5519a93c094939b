from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.pruning.evidence.running import loss_of, private_copy
from explorer.pruning.layers import layer_table
from explorer.pruning.select import keep_mask
from explorer.types import LoadedModel, Split
from explorer.types.stopping import check

_BATCH = 32


@dataclass(frozen=True)
class MovementEvidence:
    """- sum over training steps of w dL/dw, before each step: prunable parameter -> its shape, in double.

    A private copy is trained by plain SGD, every epoch in a new order, in eval mode: batch norm keeps its
    statistics and dropout is off, so that the seed decides everything. ``masked`` is the share of each layer
    with the lowest sums so far that is switched off by the last step, rising with a cubic; what is switched off
    keeps its value, is still followed, and comes back when its sum has risen.
    """

    key: ClassVar[str] = "movement"
    labels: ClassVar[bool] = True
    n_steps: int = 300
    learning_rate: float = 0.001
    masked: float = 0.5
    seed: int = 0

    def collect(self, model: LoadedModel, split: Split) -> dict[str, Tensor]:
        module = private_copy(model, gradients=True)
        named = dict(module.named_parameters())
        prunable = {layer.parameter for layer in layer_table(model).prunable}
        whole = {name: p.detach().clone() for name, p in named.items() if name in prunable}
        moved = {name: torch.zeros(value.shape, dtype=torch.float64) for name, value in whole.items()}
        for step, taken in enumerate(self._batches(len(split))):
            check()
            masks = self._masks(moved, self.masked * (1 - (1 - step / self.n_steps) ** 3))
            with torch.no_grad():
                for name, value in whole.items():
                    named[name].copy_(value * masks[name])
            loss = loss_of(module, split.x[taken], None if split.y is None else split.y[taken])
            if not bool(loss.isfinite()):
                raise ExplorerError(
                    f"The loss is not finite after {step} steps of fine-tuning.",
                    fix="Choose a lower learning rate, or check the data.",
                )
            self._step(named, whole, masks, moved, loss)
        return moved

    def _step(
        self,
        named: dict[str, nn.Parameter],
        whole: dict[str, Tensor],
        masks: dict[str, Tensor],
        moved: dict[str, Tensor],
        loss: Tensor,
    ) -> None:
        """Add what this batch says, then take its step; what is switched off does not move."""
        gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
        with torch.no_grad():
            for (name, p), gradient in zip(named.items(), gradients, strict=True):
                if gradient is None:
                    continue
                if name in whole:
                    moved[name].sub_(whole[name] * gradient)
                    whole[name].sub_(gradient * masks[name], alpha=self.learning_rate)
                else:
                    p.sub_(gradient, alpha=self.learning_rate)

    def _masks(self, moved: dict[str, Tensor], share: float) -> dict[str, Tensor]:
        return {name: keep_mask(sums, int(share * sums.numel())).reshape(sums.shape) for name, sums in moved.items()}

    def _batches(self, n: int) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.empty(0, dtype=torch.int64)
        for _ in range(self.n_steps):
            if not len(order):
                order = torch.randperm(n, generator=generator)
            taken, order = order[:_BATCH], order[_BATCH:]
            yield taken
