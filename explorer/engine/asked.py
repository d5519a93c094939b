"""The metrics that a caller asks for beside those of the task, and the one that is the headline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from explorer.engine.answers import Provenance, Totals
from explorer.engine.results import BatchResult
from explorer.errors import ExplorerError
from explorer.metrics import METRICS
from explorer.metrics.base import Metric, Outputs
from explorer.metrics.own.paired import lost
from explorer.types import Task

# What the first metrics of each task are called in a batch's results.
_FIRST = {
    **{"accuracy": "right", "agreement": "agrees", "loss": "loss"},
    **{"label_accuracy": "right", "label_agreement": "agrees", "label_loss": "loss"},
    **{"token_accuracy": "right", "token_agreement": "agrees", "token_loss": "loss"},
    **{"r2": "right", "mae": "loss", "cosine": "agrees"},
    **{"mean_iou": "right", "pixel_agreement": "agrees", "pixel_loss": "loss"},
}


@dataclass(frozen=True, eq=False)
class Asked:
    """``metrics`` beside the registered ones, by key; ``headline`` takes the place of accuracy; ``task`` as stated."""

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    headline: Metric | None = None
    task: Task | None = None

    @classmethod
    def of(cls, metrics: tuple[Metric, ...], headline: Metric | None) -> Asked:
        """Those of the user's own among them; registered ones are measured anyway."""
        given = (*metrics, *(() if headline is None else (headline,)))
        return cls({m.key: m for m in given if m.key not in METRICS.members}, headline)

    def added(
        self, result: BatchResult, outputs: Tensor, targets: Tensor | None, dense: BatchResult | None
    ) -> BatchResult:
        """The result with what these metrics keep of each sample; ``dense`` is None for the dense model itself."""
        if not self.metrics and self.headline is None:
            return result
        given = Outputs(outputs, targets, result.dense_predictions)
        more = {key: metric.per_sample(given) for key, metric in self.metrics.items()}
        result = replace(result, more={**result.more, **more})
        if self.headline is None:
            return result
        values = self._values(result, self.headline.key)
        return replace(result, headline=values, dense_headline=dense.headline if dense else values)

    def totals(self, totals: Totals, whole: BatchResult, origin: Provenance) -> Totals:
        """The totals with the headline in the first place, and what stood there among the metrics."""
        if self.headline is None or whole.headline is None or whole.dense_headline is None:
            return totals
        first = origin.measure(self.headline, whole.headline)
        value, interval = lost(self.headline, whole.dense_headline, whole.headline, quickly=origin.quickly)
        low, high = interval or (None, None)
        drop = replace(first, name="drop", value=value, low=low, high=high, note="")
        others = {totals.accuracy.name: totals.accuracy, **totals.metrics, first.name: first}
        return replace(totals, accuracy=first, drop=drop, judged_by="metric", metrics=others)

    @staticmethod
    def _values(result: BatchResult, key: str) -> Tensor:
        values = result.more.get(key)
        if values is None and key in _FIRST:
            values = getattr(result, _FIRST[key])
        if not isinstance(values, torch.Tensor):
            what = f"{key} cannot be the headline here."
            why = f"It is not measured for this model and data; measured are {', '.join(result.more) or 'none'}."
            raise ExplorerError(what, why=why, fix="Choose one of these, or data with labels.")
        return values
