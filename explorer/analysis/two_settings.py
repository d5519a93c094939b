"""Two settings of one model against one another, on the samples that both were measured on."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from explorer.metrics.interval import paired_difference
from explorer.types import Evaluation, Measurement


def drop_between(first: Evaluation, second: Evaluation, labels: Tensor | None) -> Measurement | None:
    """How much less accurate ``second`` is than ``first``, paired: a share, positive is worse, with its interval.

    None where there is no answer to be right or wrong about, or one of them was not measured on all samples.
    ``labels`` (n,) are those of the split in its order.
    """
    if labels is None or not (first.complete and second.complete and first.chooses_classes and second.chooses_classes):
        return None
    if first.judged_by != "labels" or len(first.predictions) != len(second.predictions):
        return None
    right, then = first.predictions == labels, second.predictions == labels
    lost, won, n = int((right & ~then).sum()), int((~right & then).sum()), len(labels)
    ends = paired_difference(lost, won, n)
    return replace(second.drop, value=(lost - won) / n, low=ends.low, high=ends.high, n=n, note="")
