"""Metrics for models that give each sample several labels, or none, by one logit a label."""

from __future__ import annotations

from explorer.metrics.multi_label.choices import ExactMatch, LabelAccuracy, LabelAgreement, LabelF1
from explorer.metrics.multi_label.loss import LabelLoss

__all__ = ["ExactMatch", "LabelAccuracy", "LabelAgreement", "LabelF1", "LabelLoss"]
