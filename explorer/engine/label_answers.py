"""What outputs are worth where each sample has several labels or none."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from explorer.engine.results import BatchResult
from explorer.errors import ExplorerError
from explorer.metrics.base import Outputs
from explorer.metrics.multi_label import LabelAccuracy, LabelAgreement, LabelLoss

FIRST: set[type] = {LabelAccuracy, LabelAgreement, LabelLoss}


def label_results(outputs: Tensor, labels: Tensor | None, dense: BatchResult | None) -> tuple[BatchResult, Outputs]:
    """Sample by sample, (n, k) logits and (n, k) bool; and what the other metrics are given."""
    if labels is not None and labels.shape != outputs.shape:
        raise ExplorerError(
            "The model's outputs do not fit the data's labels.",
            why=f"Outputs have the shape {tuple(outputs.shape)}, labels {tuple(labels.shape)}: a logit a label.",
            fix="Choose the data this model was trained for.",
        )
    predictions = outputs > 0
    given = Outputs(outputs, labels, dense.predictions if dense else predictions)
    result = BatchResult(
        predictions=predictions,
        agrees=LabelAgreement().per_sample(given),
        right=None if labels is None else LabelAccuracy().per_sample(given),
        loss=None if labels is None else LabelLoss().per_sample(given),
        dense_predictions=given.dense,
        dense_right=None,
        task="labels",
    )
    return replace(result, dense_right=dense.right if dense else result.right), given


def undecided(outputs: Tensor, within: float) -> Tensor:
    """(n, k) logits -> (n,) bool: samples with a label too close to 0 to trust the last digits."""
    sizes = outputs.abs()
    return ~(sizes > within * sizes.amax(dim=1, keepdim=True)).all(dim=1) | ~torch.isfinite(outputs).all(dim=1)
