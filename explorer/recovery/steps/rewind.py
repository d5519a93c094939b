"""Back to an earlier moment of training, with the masks of now."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from explorer.errors import Refusal
from explorer.recovery.beginnings import first_weights, why_no_beginning
from explorer.recovery.context import RecoveryContext
from explorer.recovery.defaults import training_of
from explorer.recovery.settings import RewindSettings
from explorer.recovery.state import RecoveryProgress, State, masked_model, recovered_model
from explorer.recovery.training import Trainer, why_not_trained
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Rewind(RewindSettings):
    """The kept weights go back to what they were before training, or after its first epochs, bit for bit.

    ``early`` trains the dense network from its first weights for ``epochs`` epochs, just as it was trained once,
    and goes back to that moment; larger networks need it. The masks hold.

    Weak where the first weights are not at hand, or the network is large: tickets of large networks begin some
    epochs after the first weights.

    Source: Frankle & Carbin 2019, arXiv:1803.03635 (init); Frankle et al. 2020, arXiv:1912.05671 (early).
    """

    key: ClassVar[str] = "rewind"
    label: ClassVar[str] = "Rewind"
    n_epochs: ClassVar[int] = 0

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """The first weights must be known, and early needs data to train on."""
        refusal = why_no_beginning(dense, self.file)
        if refusal is None and self.to == "early":
            refusal = why_not_trained(training_of(dense, data), data)
        return refusal

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The state with earlier weights under the same masks."""
        tensors = first_weights(state.dense, self.file)
        if self.to == "early":
            tensors = yield from self._early(state, context, tensors)
        after = replace(state, model=masked_model(state.model, tensors, state.masks))
        yield context.final_progress(after)
        return after

    def _early(
        self, state: State, context: RecoveryContext, tensors: dict[str, Tensor]
    ) -> Generator[RecoveryProgress, None, dict[str, Tensor]]:
        settings = training_of(state.dense, context.data)
        moment = f"early {self.epochs} {self.file}"
        if moment in context.shared:
            early: dict[str, Tensor] = context.shared[moment]
            return early
        start = recovered_model(state.dense, tensors)
        trainer = Trainer(start, {}, settings, context.fit, seed=settings.seed, device=context.device)
        for epoch in range(self.epochs):
            for share in trainer.run_epoch():
                yield context.progress(share=(epoch + share) / self.epochs, complete=False)
            yield context.progress(share=(epoch + 1) / self.epochs, train_loss=trainer.last_loss, complete=False)
        context.shared[moment] = trainer.tensors()
        return trainer.tensors()
