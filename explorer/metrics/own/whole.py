"""A metric that is one number of all samples together, as an object with update, compute and reset."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.metrics.base import Best, Outputs, Unconditional
from explorer.metrics.interval import Interval
from explorer.metrics.own.function import called

BATCHES, DRAWS = 20, 200


class Stateful(Protocol):
    """What ``torchmetrics`` objects are, too."""

    def update(self, outputs: Tensor, targets: Tensor | None, /) -> object:
        """Take in one batch."""

    def compute(self) -> object:
        """The number of all batches so far."""

    def reset(self) -> object:
        """Forget them."""


@dataclass(frozen=True, eq=False)
class WholeMetric(Unconditional):
    """The number that ``metric`` computes of all samples; the object itself is never written to.

    It is no mean over samples: its 95 % interval is that of a bootstrap, of ``DRAWS`` draws of ``BATCHES`` batches.
    """

    key: str
    best: Best
    metric: Stateful
    unit: str = ""
    needs: frozenset[str] = frozenset()
    slow: bool = True
    note: str = f"95 % interval by bootstrap: {DRAWS} draws of {BATCHES} batches."
    _forms: dict[str, tuple[torch.Size, torch.dtype]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name inside a sentence."""
        return self.key

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n, k) float64: outputs and targets of each sample side by side, which is what all samples need."""
        parts = {"outputs": outputs.logits, "targets": outputs.labels}
        rows = []
        for name, part in parts.items():
            if part is not None:
                self._forms[name] = (part.shape[1:], part.dtype)
                rows.append(part.detach().cpu().double().reshape(len(part), -1))
        return torch.cat(rows, dim=1)

    def total(self, values: Tensor) -> float:
        """The number of all samples. Raises ExplorerError where the object gives none."""
        if not len(values):
            return math.nan
        metric = copy.deepcopy(self.metric)
        called(self.key, metric.reset)
        called(self.key, metric.update, *self._unpacked(values))
        number = called(self.key, metric.compute)
        number = number.item() if isinstance(number, Tensor) and number.numel() == 1 else number
        if not isinstance(number, int | float):
            why = f"compute() gives {type(number).__name__}."
            raise ExplorerError(f"The metric {self.key} is not one number.", why=why, fix="Give one that averages.")
        return float(number)

    def interval(self, values: Tensor) -> Interval | None:
        """Percentiles over draws of batches with replacement, the same draws each time; None for fewer than two."""
        batches = [values[place::BATCHES] for place in range(min(BATCHES, len(values)))]
        if len(batches) < 2:
            return None
        draws = torch.randint(len(batches), (DRAWS, len(batches)), generator=torch.Generator().manual_seed(0))
        totals = [self.total(torch.cat([batches[place] for place in draw])) for draw in draws.tolist()]
        ends = torch.tensor(totals, dtype=torch.float64).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64))
        return Interval(*ends.tolist()) if bool(torch.isfinite(ends).all()) else None

    def _unpacked(self, values: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """The outputs and the targets again, in their own shapes and types; None where there are no targets."""
        shape, dtype = self._forms["outputs"]
        width = math.prod(shape)
        outputs = values[:, :width].reshape(len(values), *shape).to(dtype)
        if "targets" not in self._forms:
            return outputs, None
        shape, dtype = self._forms["targets"]
        return outputs, values[:, width:].reshape(len(values), *shape).to(dtype)
