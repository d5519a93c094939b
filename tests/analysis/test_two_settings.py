"""One setting against another: the paired difference by hand."""

from __future__ import annotations

import torch

import explorer as ex
from explorer.analysis.two_settings import drop_between
from explorer.metrics.interval import paired_difference


def test_two_settings_are_compared_on_the_same_samples() -> None:
    first, second = (
        ex.evaluate("digits-mlp", ex.PruneSpec(allocation=f"global:sparsity={share}")).evaluation
        for share in (0.8, 0.9)
    )
    assert first is not None
    assert second is not None
    labels = ex.load_data("digits", model=ex.load("digits-mlp")).splits["tune"].y
    assert labels is not None

    drop = drop_between(first, second, labels)

    assert drop is not None
    right, then = (evaluation.predictions == labels for evaluation in (first, second))
    assert drop.value == float((right.double() - then.double()).mean())
    lost, won = int((right & ~then).sum()), int((then & ~right).sum())
    assert (drop.low, drop.high) == tuple(paired_difference(lost, won, len(labels)))
    assert drop.value == first.accuracy.value - second.accuracy.value
    assert drop_between(first, second, None) is None
    assert torch.equal(first.dense_predictions, second.dense_predictions)
