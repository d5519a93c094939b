"""What was found out: numbers that say where they come from, and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from explorer.types.aliases import JsonObject
from explorer.types.brief import Brief, Shown

Origin = Literal["counted", "estimated", "measured"]
Level = Literal["ok", "warn", "fail"]
Best = Literal["highest", "lowest", "zero"]
"""Which way a number is better: the highest value, the lowest one, or the one nearest to zero."""
JudgedBy = Literal["labels", "agreement", "tokens", "numbers", "several", "metric"]
FIRST_NAMES = frozenset({"accuracy", "agreement", "r2", "mean_iou", "cosine"})
"""What the first measurement is called where no other metric was chosen."""
Task = Literal["classes", "labels", "numbers", "tokens", "mask", "embedding"]
"""What a model answers with, and what labels are."""


@dataclass(frozen=True, repr=False)
class Measurement(Brief):
    """A number that says where it comes from.

    ``low``/``high`` bound a 95 % interval; ``n`` is how many samples were looked at.
    ``unit`` is one of fraction, bytes, MAC, parameters, milliseconds, joules, x, nats. ``best`` says of a metric, and
    of how much worse it is, which way the metric is better; None where nothing is said.
    """

    name: str
    value: float
    unit: str
    origin: Origin
    low: float | None = None
    high: float | None = None
    n: int | None = None
    batch_size: int | None = None
    machine: str | None = None
    date: str | None = None
    note: str = ""
    best: Best | None = None


@dataclass(frozen=True)
class Finding:
    """Something to know about a model or a plan, with what the user can do about it."""

    level: Level
    what: str
    evidence: str = ""
    action: str = ""
    layer: str | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Brief):
    """What is known after ``n`` of ``total`` samples; ``complete`` when n == total.

    ``drop`` is dense minus pruned on the same samples (positive = worse), with its own paired
    interval. ``judged_by`` says what ``accuracy`` is: the top-1 share ("labels"), the share of right
    tokens ("tokens"), R2 ("numbers"), or, without labels, the agreement with the dense model
    ("agreement"); ``loss`` is the mean absolute error for numbers. ``metrics`` holds what else the same
    pass measured, by name. ``predictions`` are the pruned model's, ``dense_predictions`` the dense
    model's, in the split's order: (n,) classes, (n, length) tokens, (n, height, width) classes or (n, k) numbers.
    """

    n: int
    total: int
    accuracy: Measurement
    drop: Measurement
    agreement: Measurement
    loss: Measurement | None
    predictions: Tensor
    dense_predictions: Tensor
    judged_by: JudgedBy
    seconds: float
    findings: tuple[Finding, ...] = ()
    metrics: Mapping[str, Measurement] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.n == self.total

    @property
    def chooses_classes(self) -> bool:
        """Whether each sample's prediction is one class."""
        return self.predictions.dim() == 1 and not self.predictions.is_floating_point()

    def _in_brief(self) -> JsonObject:
        about = {"n": self.n, "total": self.total, "accuracy": self.accuracy.value, "drop": self.drop.value}
        return about | {"judged_by": self.judged_by}


@dataclass(frozen=True, repr=False)
class TradeOffPoint(Shown):
    """One setting of one model: what it costs and what it keeps.

    ``plan_digest`` is that of the masks; "" and a ``loss`` of None where they are not known. ``asked_ratio``
    is the compression ratio that was asked for; None where a sparsity was. ``protocol`` says what was done
    beside pruning (epochs, data, optimiser, seed); empty where nothing was. ``metrics`` holds what else the same
    pass measured, by the metric's key.
    """

    spec: JsonObject
    label: str
    asked: float
    sparsity: float
    compression_ratio: float
    theoretical_speedup: float
    size_bytes: int
    accuracy: Measurement
    drop: Measurement
    seed: int = 0
    loss: Measurement | None = None
    plan_digest: str = ""
    asked_ratio: float | None = None
    protocol: JsonObject = field(default_factory=dict)
    metrics: Mapping[str, Measurement] = field(default_factory=dict)

    @property
    def is_pruned(self) -> bool:
        """Whether pruning was asked for and something is zero: what a model came with does not make it pruned."""
        return self.asked > 0 and self.sparsity > 0

    def _in_brief(self) -> JsonObject:
        sizes = {"compression_ratio": self.compression_ratio, "sparsity": self.sparsity, "size_bytes": self.size_bytes}
        quality = {"accuracy": self.accuracy.value, "drop": self.drop.value, "n": self.accuracy.n}
        return {**sizes, **quality, "label": self.label}


@dataclass(frozen=True, repr=False)
class TradeOff(Shown):
    """Points of one curve, those of several seeds too; ``is_control``: it is there to be beaten, drawn in grey.

    Examples:
        >>> import explorer as ex
        >>> curve = ex.TradeOff("magnitude", tuple(ex.sweep("digits-mlp", ratios=(1, 2))))
        >>> len(curve.points), curve.is_control
        (2, False)
    """

    label: str
    points: tuple[TradeOffPoint, ...]
    is_control: bool = False

    def _in_brief(self) -> JsonObject:
        return {"label": self.label, "points": len(self.points), "is_control": self.is_control}
