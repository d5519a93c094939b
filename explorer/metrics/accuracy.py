"""Accuracy: how often the first choice is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.metrics.base import Best, Outputs, Share
from explorer.metrics.interval import paired_difference
from explorer.metrics.origin import machine, today
from explorer.types import Measurement


@dataclass(frozen=True)
class Accuracy(Share):
    """The share of samples whose highest output is the right class (top-1).

    Its interval is Wilson's, 95 %.
    """

    key: ClassVar[str] = "accuracy"
    label: ClassVar[str] = "accuracy"
    best: ClassVar[Best] = "highest"
    needs: ClassVar[frozenset[str]] = frozenset({"labels"})

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: 1 where the prediction is the label."""
        return outputs.logits.argmax(dim=1).eq(outputs.labels).double()  # type: ignore[arg-type]


def drop(dense_right: Tensor, pruned_right: Tensor, *, batch_size: int, device: str = "cpu") -> Measurement:
    """Dense accuracy minus pruned accuracy on the same samples; positive is worse.

    Both (n,) with 1 where right. The interval is that of a paired difference, 95 %: samples
    that both get right, or both wrong, do not widen it.
    """
    n = len(dense_right)
    dense, pruned = dense_right.bool(), pruned_right.bool()
    lost, won = int((dense & ~pruned).sum()), int((pruned & ~dense).sum())
    interval = paired_difference(lost, won, n)
    return Measurement(
        name="drop",
        value=(lost - won) / n if n else float("nan"),
        unit="fraction",
        origin="measured",
        low=interval.low,
        high=interval.high,
        n=n,
        batch_size=batch_size,
        machine=machine(device),
        date=today(),
    )
