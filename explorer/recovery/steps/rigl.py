"""Let the mask move while training goes on: the weakest weights go, others come back."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.params import param
from explorer.pruning.running import class_scores, fitting
from explorer.pruning.spec import PruneSpec
from explorer.recovery.context import RecoveryContext
from explorer.recovery.masking import settled
from explorer.recovery.state import RecoveryProgress, State
from explorer.recovery.training import Trainer, Training, loss_of
from explorer.recovery.training_run import TrainingRun
from explorer.types import Split
from explorer.types.inputs import call

_MOST_SAMPLES = 512


@dataclass(frozen=True)
class Rigl(Training):
    """Dynamic sparse training: as many weights of each layer come back as go, so its sparsity stays.

    Before an epoch, the share f of the kept weights that are smallest goes, and as many of the pruned ones whose
    gradients are largest come back, at zero; zeros that the network came with stay. f falls along half a cosine from
    ``share`` to 0 at ``until`` of the epochs; then the mask rests, and only epochs after that can be kept. Gradients
    are of the mean loss of up to 512 samples, where the paper takes one batch of training.

    Weak where there are few epochs: every mask change needs training to show whether it was one for the better.

    Source: Evci et al. 2020, arXiv:1911.11134, algorithm 1.
    """

    key: ClassVar[str] = "rigl"
    label: ClassVar[str] = "Regrow while training (RigL)"
    share: float = param(0.3, "Share that moves", low=0.0, high=0.9, help="Of the kept weights, at the first move.")
    until: float = param(0.75, "Moving share", low=0.0, high=1.0, help="Share of the epochs before which masks move.")

    @property
    def last_move(self) -> int:
        """The last epoch (from 1) before which the mask moves; 1: it never does."""
        return min(self.epochs, max(1, round(self.until * self.epochs)))

    def share_in(self, epoch: int) -> float:
        """How much of what is kept moves before ``epoch`` (from 1): nothing before the first and after the last."""
        if not 1 < epoch <= self.last_move:
            return 0.0
        return self.share / 2 * (1 + math.cos(math.pi * (epoch - 1) / self.last_move))

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The state under the mask that training found."""
        spec = _single_weights(state)
        run = TrainingRun.of(self, state, context)
        trainer = run.trainer
        yield from run.past
        for epoch in run.left():
            if share := self.share_in(epoch):
                trainer.set_masks(moved_masks(trainer, context.fit, share, state.already_zero))
            yield from run.epoch(candidate=epoch >= self.last_move)
        masks = {**state.masks, **{name: mask.cpu() for name, mask in trainer.masks.items()}}
        after = settled(state, spec, masks, run.result(), context.data)
        return replace(after, epochs=state.epochs + self.epochs)


def moved_masks(
    trainer: Trainer, fit: Split, share: float, nonzero: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """The trainer's masks after one move; every layer keeps its count. Ties go in index order.

    Where ``nonzero`` is False, by parameter, nothing comes back.
    """
    gradients = dense_gradients(trainer, fit)
    weights = {name: trainer.parameters[name].detach() for name in trainer.masks}
    return {
        name: moved_mask(weights[name], mask, gradients[name], share, (nonzero or {}).get(name))
        for name, mask in trainer.masks.items()
    }


def moved_mask(weight: Tensor, mask: Tensor, gradient: Tensor, share: float, nonzero: Tensor | None = None) -> Tensor:
    """Of the kept entries the ``share`` with the smallest |weight| goes; as many come back, largest |gradient| first.

    All tensors have one shape; ``mask`` is bool, True keeps. An entry that just went may come back; one where
    ``nonzero`` is False never does.
    """
    kept = mask.flatten()
    barred = torch.zeros_like(kept) if nonzero is None else ~nonzero.to(kept.device).flatten()
    n = min(int(share * int(kept.sum())), int((~kept & ~barred).sum()))
    magnitude = weight.flatten().abs().masked_fill(~kept, math.inf)
    stays = kept.clone()
    stays[torch.argsort(magnitude, stable=True)[:n]] = False
    pull = gradient.flatten().abs().masked_fill(stays | barred, -math.inf)
    stays[torch.argsort(pull, descending=True, stable=True)[:n]] = True
    return stays.reshape(mask.shape)


def dense_gradients(trainer: Trainer, fit: Split) -> dict[str, Tensor]:
    """Gradients of the mean loss for masked parameters, pruned entries included; batch norm keeps its statistics."""
    n = min(len(fit), _MOST_SAMPLES)
    parameters = {name: trainer.parameters[name] for name in trainer.masks}
    x = fitting(fit.x[:n], trainer.module)
    labels = None if fit.y is None else fit.y[:n].to(trainer.device)
    with torch.enable_grad():
        taught = None if trainer.teacher is None else class_scores(call(trainer.teacher, x)).detach()
        loss = loss_of(trainer.settings, class_scores(call(trainer.module, x)), labels, taught)
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    return {
        name: torch.zeros_like(parameter) if gradient is None else gradient
        for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True)
    }


def _single_weights(state: State) -> PruneSpec:
    """The request behind the present mask; only masks of single weights can move one by one."""
    if state.plan is None or not state.masks:
        raise ExplorerError("There is no mask that could move.", fix="Put a prune step before it.")
    spec = PruneSpec.from_json(state.plan.spec)
    if spec.granularity.key != "weight":
        raise ExplorerError(
            f"A mask of {spec.granularity.label.lower()} cannot move weight by weight.",
            why="Regrowth brings single weights back; whole units would come back in pieces.",
            fix="Prune single weights before it.",
        )
    return spec
