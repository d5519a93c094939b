"""What a step may use while it works, and how it tells how far it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from explorer.engine.evaluator import Evaluator
from explorer.recovery.checkpoints import Checkpoints
from explorer.recovery.state import RecoveryProgress, State, measured_module, n_revived, sparsity_under
from explorer.types import Dataset, Evaluation, LayerTable, Split
from explorer.types.aliases import JsonDict


@dataclass(eq=False)
class RecoveryContext:
    """What a step may use: the data, the judge on tune, where checkpoints go, and how to tell how far it is.

    ``evaluator`` holds the dense model on tune (None: there is no such split). ``shared`` is kept from step to step
    of one run, for what several of them need.
    """

    data: Dataset
    layers: LayerTable
    evaluator: Evaluator | None = None
    checkpoints: Checkpoints | None = None
    device: str = "cpu"
    seed: int = 0
    index: int = 0
    n_steps: int = 1
    key: str = ""
    started: float = field(default_factory=time.perf_counter)
    shared: JsonDict = field(default_factory=dict)

    @property
    def fit(self) -> Split:
        """What is trained on; never tune, never test."""
        return self.data.splits["fit"]

    @property
    def name(self) -> str:
        """The step's own file of checkpoints."""
        return f"{self.index:03d}-{self.key}"

    def seed_of(self, own: int) -> int:
        """One seed from the recipe's and the step's."""
        return (self.seed * 1_000_003 + own) % 2**31

    def judged(self, module: nn.Module) -> Evaluation | None:
        """A network in eval mode on tune, against the dense one."""
        return None if self.evaluator is None else measured_module(module, self.evaluator)

    def progress(self, **values: Any) -> RecoveryProgress:
        """One line of the story of this step."""
        seconds = time.perf_counter() - self.started
        return RecoveryProgress(self.index, self.key, self.n_steps, **{"seconds": seconds, **values})

    def final_progress(self, state: State, **values: object) -> RecoveryProgress:
        """The line that ends a step which did not train: measured, and audited for zeros."""
        return self.progress(**{**self._found(state), **values})

    def _found(self, state: State) -> JsonDict:
        module = state.model.module
        evaluation = None if module is None else self.judged(module)
        return {
            "share": 1.0,
            "accuracy": evaluation and evaluation.accuracy,
            "drop": evaluation and evaluation.drop,
            "loss": evaluation and evaluation.loss,
            "sparsity": sparsity_under(self.layers, state.masks),
            "n_revived": n_revived(state.model.weights, state.masks),
            "mask_digest": state.mask_digest,
        }
