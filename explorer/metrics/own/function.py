"""A metric that is a function of the user's: one number a sample."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.metrics.base import Best, MeanOfSamples, Outputs


@dataclass(frozen=True)
class FunctionMetric(MeanOfSamples):
    """The mean of ``function(outputs, targets)``, (n,) numbers, with the normal approximation's 95 % interval."""

    key: str
    best: Best
    function: Callable[..., object]
    unit: str = ""
    needs: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Its name inside a sentence."""
        return self.key

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64. Raises ExplorerError when the function fails, or gives anything else."""
        n = len(outputs.logits)
        returned = called(self.key, self.function, outputs.logits, outputs.labels)
        if isinstance(returned, np.ndarray | list | tuple):
            returned = torch.as_tensor(np.asarray(returned))
        if not isinstance(returned, Tensor) or returned.numel() != n or returned.shape[:1] != (n,):
            shape = f"the shape {tuple(returned.shape)}" if isinstance(returned, Tensor) else type(returned).__name__
            raise ExplorerError(
                f"The metric {self.key} does not give one number a sample.",
                why=f"For {n} samples it gives {shape}.",
                fix="Return a tensor with a number for each; for one of all samples give an object with update, "
                "compute and reset.",
            )
        return returned.detach().cpu().double().reshape(n)


def called(key: str, function: Callable[..., object], *arguments: object) -> object:
    """What the user's own code returns. ExplorerError, with the trace in the log, where it raises."""
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        logging.getLogger(__name__).exception("the metric %s failed", key)
        first = (str(error).strip().splitlines() or [""])[0].rstrip(".")
        why = f"{type(error).__name__}: {first[:200]}."
        raise ExplorerError(f"The metric {key} failed.", why=why, fix="Call it on a batch in Python first.") from error
