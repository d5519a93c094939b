"""What every metric offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from explorer.metrics.interval import Interval
from explorer.metrics.origin import machine, today
from explorer.types import Measurement


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a model gave for n samples, with what it is compared to.

    ``logits``: (n, classes) float. ``labels``: (n,) int64 or None. ``dense``: (n,) int64, the
    classes that the dense model predicts for the same samples.
    """

    logits: Tensor
    labels: Tensor | None
    dense: Tensor


@runtime_checkable
class Metric(Protocol):
    """A mean over samples: each sample gives one number, all of them a value with an interval."""

    key: ClassVar[str]
    unit: ClassVar[str]
    needs: ClassVar[frozenset[str]]

    def per_sample(self, outputs: Outputs) -> Tensor:
        """(n,) float64: one number a sample."""
        ...

    def interval(self, values: Tensor) -> Interval | None:
        """The 95 % interval of the mean of (n,) values, or None where there is none."""
        ...


def why_not(metric: Metric, *, labels: bool) -> str | None:
    """Why a metric does not apply to the data, in a sentence, or None."""
    if "labels" in metric.needs and not labels:
        return "The data has no labels."
    return None


def measure(metric: Metric, values: Tensor, *, batch_size: int, device: str = "cpu") -> Measurement:
    """The measurement made of one number a sample: (n,) values as :meth:`Metric.per_sample` gives them."""
    value = float(values.double().mean()) if len(values) else float("nan")
    interval = metric.interval(values)
    return Measurement(
        name=metric.key,
        value=value,
        unit=metric.unit,
        origin="measured",
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        n=len(values),
        batch_size=batch_size,
        machine=machine(device),
        date=today(),
        note="The model gives numbers that are not finite." if value != value or abs(value) == float("inf") else "",
    )
