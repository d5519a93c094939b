"""What is measured on samples? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.metrics.accuracy import Accuracy
from explorer.metrics.agreement import Agreement
from explorer.metrics.base import Metric
from explorer.metrics.loss import Loss
from explorer.params import Registry

MEMBERS: tuple[type[Metric], ...] = (Accuracy, Agreement, Loss)
METRICS: Registry[Metric] = Registry("metric", MEMBERS)


def get(name_or_object: str | Metric) -> Metric:
    """A metric from its key, or the metric itself."""
    return METRICS.get(name_or_object)
