"""Round the weights to whole numbers of a few bits, one scale for each output channel."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import ClassVar

from explorer.errors import Refusal
from explorer.recovery.context import RecoveryContext
from explorer.recovery.quantization import quantized_weights
from explorer.recovery.settings import QuantizeSettings
from explorer.recovery.state import RecoveryProgress, State, recovered_model
from explorer.types import Dataset, LoadedModel


@dataclass(frozen=True)
class Quantize(QuantizeSettings):
    """Every kept weight goes to the nearest number of the grid; pruned ones stay exactly zero.

    Simulated in float, activations untouched. Training afterwards moves weights off the grid again, so this step
    comes last; pruning afterwards does not.

    Weak where weights of one channel differ by orders of magnitude: one scale must serve them all, and small
    ones become zero.

    Source: Krishnamoorthi 2018, arXiv:1806.08342 (symmetric, one scale for each output channel).
    """

    key: ClassVar[str] = "quantize"
    label: ClassVar[str] = "Quantize weights"
    n_epochs: ClassVar[int] = 0

    def why_not(self, dense: LoadedModel, data: Dataset) -> Refusal | None:
        """Any model can be quantized."""
        return None

    def run(self, state: State, context: RecoveryContext) -> Generator[RecoveryProgress, None, State]:
        """The same network with its weights on the grid."""
        after = replace(state, model=recovered_model(state.model, quantized_weights(state.model, bits=self.bits)))
        yield context.final_progress(after)
        return after
