"""Prune a little more at the beginning of each epoch, while training goes on."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.errors import ExplorerError, Refusal
from explorer.params import nested_param
from explorer.pruning.level import sparsity_of, with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.recovery.context import RecoveryContext
from explorer.recovery.masking import grown_plan, settled
from explorer.recovery.schedules import sparsity_at
from explorer.recovery.settings import RisingSettings
from explorer.recovery.state import RecoveryProgress, State, masked_model
from explorer.recovery.training import Trainer, Training
from explorer.recovery.training_run import TrainingRun
from explorer.types import Dataset, LoadedModel, Plan


@dataclass(frozen=True)
class Gradual(RisingSettings, Training):
    """Sparsity rises from epoch to epoch of one training, and rests for the last of them.

    Masks only grow, the optimiser goes on, and only epochs at the final sparsity can be kept.

    Weak where there are few epochs: the network needs time to adapt between two rises.

    Source: Zhu & Gupta 2017, arXiv:1710.01878 (the cubic rise).
    """

    key: ClassVar[str] = "gradual"
    label: ClassVar[str] = "Prune gradually"
    spec: PruneSpec = nested_param(PruneSpec.from_json, "What to prune", default_factory=PruneSpec)

    @property
    def n_prunings(self) -> int:
        """How many epochs begin with pruning."""
        return min(self.epochs, max(1, round(self.rising * self.epochs)))

    def sparsity_in(self, epoch: int) -> float:
        """The overall sparsity asked for during ``epoch`` (from 1)."""
        return sparsity_at(self.rise, min(1.0, epoch / self.n_prunings), sparsity_of(self.spec), self.initial)

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """It needs data to train on, and a request whose sparsity can rise to no less than the first one."""
        try:
            self.sparsity_in(1)
        except ExplorerError as error:
            return Refusal.of(error)
        return super().why_not(dense, data)

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The state at full sparsity, trained."""
        run = TrainingRun.of(self, state, context)
        trainer = run.trainer
        yield from run.past
        for epoch in run.left():
            if epoch <= self.n_prunings:
                plan = self._plan(state, trainer, context, epoch)
                trainer.set_masks(plan.masks, plan.updates)
            yield from run.epoch(candidate=epoch >= self.n_prunings)
        masks = {name: mask.cpu() for name, mask in trainer.masks.items()}
        after = settled(state, self.spec, masks, run.result(), context.data)
        return replace(after, epochs=state.epochs + self.epochs)

    def _plan(self, state: State, trainer: Trainer, context: RecoveryContext, epoch: int) -> Plan:
        masks = {name: mask.cpu() for name, mask in trainer.masks.items()}
        now = masked_model(state.model, trainer.tensors(), masks)
        return grown_plan(now, with_sparsity(self.spec, self.sparsity_in(epoch)), masks, context.data)
