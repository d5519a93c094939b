"""What is measured on samples? One file a member; to add one: a file and a line here."""

from __future__ import annotations

from explorer.metrics.accuracy import Accuracy
from explorer.metrics.agreement import Agreement
from explorer.metrics.balanced_accuracy import BalancedAccuracy
from explorer.metrics.base import Metric
from explorer.metrics.brier import Brier
from explorer.metrics.by_task.cosine import CosineToDense
from explorer.metrics.by_task.divergence import DivergenceFromDense
from explorer.metrics.by_task.segmentation import MeanIoU, PixelAccuracy, PixelAgreement, PixelLoss
from explorer.metrics.ece import ExpectedCalibrationError
from explorer.metrics.loss import Loss
from explorer.metrics.mae import MeanAbsoluteError
from explorer.metrics.multi_label.choices import ExactMatch, LabelAccuracy, LabelAgreement, LabelF1
from explorer.metrics.multi_label.loss import LabelLoss
from explorer.metrics.nll import NegativeLogLikelihood
from explorer.metrics.perplexity import Perplexity
from explorer.metrics.r2 import R2
from explorer.metrics.tokens import TokenAccuracy, TokenAgreement, TokenLoss
from explorer.metrics.top_k import TopK
from explorer.params import Registry

MEMBERS: tuple[type[Metric], ...] = (
    *(Accuracy, TopK, Agreement, Loss),
    BalancedAccuracy,
    NegativeLogLikelihood,
    Brier,
    ExpectedCalibrationError,
    DivergenceFromDense,
    *(LabelAccuracy, ExactMatch, LabelF1, LabelAgreement, LabelLoss),
    *(MeanAbsoluteError, R2),
    *(TokenAccuracy, TokenAgreement, TokenLoss, Perplexity),
    *(MeanIoU, PixelAccuracy, PixelAgreement, PixelLoss),
    CosineToDense,
)
METRICS: Registry[Metric] = Registry("metric", MEMBERS)


def get(name_or_object: str | Metric) -> Metric:
    """A metric from its key, or the metric itself."""
    return METRICS.get(name_or_object)
