"""A training run: epoch after epoch is trained, measured on tune, audited and kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from explorer.errors import ExplorerError
from explorer.metrics.base import goodness
from explorer.recovery.checkpoints import Saved, progress_from, progress_json
from explorer.recovery.context import RecoveryContext
from explorer.recovery.state import RecoveryProgress, State, mask_digest, n_revived, sparsity_under
from explorer.recovery.training import Trainer, Training

_BEST = "best/"


class TrainingRun:
    """``n_epochs`` of a trainer; goes on where a killed process stopped, if it began from the same ``state``.

    Use: ``yield from run.past``, then for each of ``run.left()`` change what must change (masks) and
    ``yield from run.epoch()``; ``run.result()`` are the weights of the kept epoch: the best on tune among
    those that were candidates, or the last one.
    """

    def __init__(self, trainer: Trainer, context: RecoveryContext, state: State, n_epochs: int) -> None:
        self.trainer, self.context, self.n_epochs = trainer, context, n_epochs
        self.past: list[RecoveryProgress] = []
        self.best_epoch = 0
        self._best: dict[str, Tensor] = {}
        self._rank = (-math.inf, -math.inf)
        self._start = f"{state.model.digest}-{state.mask_digest}"
        saved = context.checkpoints.load(context.name) if context.checkpoints is not None else None
        if saved is not None and saved.about.get("start") == self._start:
            self._resume(saved)

    @classmethod
    def of(cls, settings: Training, state: State, context: RecoveryContext) -> TrainingRun:
        """All epochs of ``settings``, from the network and the masks of ``state``; its dense model may teach."""
        seed, dense = context.seed_of(settings.seed), state.dense
        trainer = Trainer(
            state.model, state.masks, settings, context.fit, teacher=dense, seed=seed, device=context.device
        )
        return cls(trainer, context, state, settings.epochs)

    def left(self) -> range:
        """The epochs that are still to be trained, counted from 1."""
        return range(self.trainer.epoch + 1, self.n_epochs + 1)

    def epoch(self, *, candidate: bool = True) -> Iterator[RecoveryProgress]:
        """Train one epoch and tell; only candidates may become the result (the last epoch always is one)."""
        number = self.trainer.epoch + 1
        for share in self.trainer.run_epoch():
            done = (number - 1 + share) / self.n_epochs
            yield self.context.progress(epoch=number, n_epochs=self.n_epochs, share=done, complete=False)
        progress = self._told(number)
        if candidate or number == self.n_epochs:
            self._choose(progress)
        self.past.append(progress)
        self._keep()
        yield progress

    def result(self) -> dict[str, Tensor]:
        """Parameters and buffers of the kept epoch."""
        return self._best or self.trainer.tensors()

    def _told(self, number: int) -> RecoveryProgress:
        trainer, masks = self.trainer, {n: m.cpu() for n, m in self.trainer.masks.items()}
        if not math.isfinite(trainer.last_loss):
            raise ExplorerError(
                "Training diverged: the loss is not a number any more.",
                why=f"It happened in epoch {number} at a learning rate of {trainer.settings.learning_rate:g}.",
                fix="Choose a lower learning rate.",
            )
        evaluation = self.context.judged(trainer.module)
        return self.context.progress(
            epoch=number,
            n_epochs=self.n_epochs,
            share=number / self.n_epochs,
            train_loss=trainer.last_loss,
            learning_rate=trainer.learning_rate,
            accuracy=evaluation and evaluation.accuracy,
            drop=evaluation and evaluation.drop,
            loss=evaluation and evaluation.loss,
            sparsity=sparsity_under(self.context.layers, masks),
            n_revived=n_revived({n: p.detach().cpu() for n, p in trainer.parameters.items()}, masks),
            mask_digest=mask_digest(masks),
        )

    def _choose(self, progress: RecoveryProgress) -> None:
        loss = -progress.loss.value if progress.loss is not None and math.isfinite(progress.loss.value) else -math.inf
        first, drop = progress.accuracy, progress.drop
        good = -math.inf if first is None or drop is None else goodness(first, drop)
        rank = (good, loss if good > -math.inf else -math.inf)
        by_rank = self.trainer.settings.keep == "best" and progress.accuracy is not None
        if not by_rank or not self._best or rank > self._rank:
            self._best, self._rank, self.best_epoch = self.trainer.tensors(), rank, progress.epoch

    def _keep(self) -> None:
        if self.context.checkpoints is None:
            return
        tensors = {**self.trainer.snapshot(), **{_BEST + name: t for name, t in self._best.items()}}
        about = {
            "start": self._start,
            "epoch": self.trainer.epoch,
            "best_epoch": self.best_epoch,
            "rank": None if self._rank[0] == -math.inf else [self._rank[0], max(self._rank[1], -1e308)],
            "history": [progress_json(p) for p in self.past],
        }
        self.context.checkpoints.save(self.context.name, tensors, about)

    def _resume(self, saved: Saved) -> None:
        self.trainer.restore(saved.tensors, int(saved.about["epoch"]))
        self.past = [replace(progress_from(p), index=self.context.index) for p in saved.about["history"]]
        self._best = {n.removeprefix(_BEST): t for n, t in saved.tensors.items() if n.startswith(_BEST)}
        self.best_epoch = int(saved.about["best_epoch"])
        if saved.about["rank"] is not None:
            self._rank = (float(saved.about["rank"][0]), float(saved.about["rank"][1]))
