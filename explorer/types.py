"""The nouns that flow through the explorer. Nothing here computes; see README, "What flows"."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

Origin = Literal["counted", "estimated", "measured"]
SplitName = Literal["fit", "tune", "test"]
Level = Literal["ok", "warn", "fail"]
JudgedBy = Literal["labels", "agreement", "tokens", "numbers"]


@dataclass(frozen=True)
class Measurement:
    """A number that says where it comes from.

    ``low``/``high`` bound a 95 % interval; ``n`` is how many samples were looked at.
    ``unit`` is one of fraction, bytes, MAC, parameters, milliseconds, joules, x, nats.
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


@dataclass(frozen=True)
class Finding:
    """Something to know about a model or a plan, with what the user can do about it."""

    level: Level
    what: str
    evidence: str = ""
    action: str = ""
    layer: str | None = None


@dataclass(frozen=True)
class LayerInfo:
    """One parameter tensor, described.

    ``name`` is the module's path where the tensor is its ``weight`` ("block1.conv1"), else
    the parameter's path ("gru.weight_hh_l0"); ``parameter`` is always the parameter's path
    in ``LoadedModel.weights``. ``kind`` is the module's class name ("Conv2d", "GRU", ...),
    or "tensor" for a file opened weights-only. ``block`` groups layers on the screen.
    ``aliases`` are the other paths of a tied weight.
    """

    name: str
    parameter: str
    kind: str
    shape: tuple[int, ...]
    block: str
    why_not: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def n_weights(self) -> int:
        n = 1
        for size in self.shape:
            n *= size
        return n

    @property
    def prunable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class LayerTable:
    """Every parameter of a model once, in the model's own order."""

    layers: tuple[LayerInfo, ...]

    def __iter__(self) -> Iterator[LayerInfo]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, name: str) -> LayerInfo:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @property
    def prunable(self) -> tuple[LayerInfo, ...]:
        return tuple(layer for layer in self.layers if layer.prunable)

    @property
    def n_prunable(self) -> int:
        return sum(layer.n_weights for layer in self.prunable)


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in eval mode that no stage ever writes to.

    ``module`` is None when a file was opened weights-only (no architecture): then
    ``why_not_runnable`` says why in a sentence. ``weights`` maps every parameter path to its
    tensor (tied weights once). ``example`` is a batch of one input (None if not runnable).
    ``repairs`` says, one sentence each, what was mended while reading the file.
    ``meta`` is JSON-able: architecture and its arguments, source, licence, split accuracies.
    """

    address: str
    module: nn.Module | None
    weights: Mapping[str, Tensor]
    digest: str
    example: Tensor | None = None
    n_classes: int | None = None
    data: str | None = None
    why_not_runnable: str | None = None
    repairs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __reduce__(self) -> Any:
        raise TypeError("A LoadedModel is not pickled: pass its address instead.")

    @property
    def n_parameters(self) -> int:
        return sum(t.numel() for t in self.weights.values())

    @property
    def identity(self) -> str:
        """Equal identity = equal weights *and* equal way to run them; what results are kept under.

        The same weights give other results as another architecture (more heads, say), and none without one.
        """
        how = {"arch": self.meta.get("arch"), "args": self.meta.get("arch_args"), "runs": self.module is not None}
        return f"{self.digest}-{hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:8]}"


@dataclass(frozen=True, eq=False)
class Split:
    """Samples in a fixed, shuffled, stratified order: every prefix is a fair sample.

    ``x``: (n, ...) model inputs, already normalised. ``y``: (n,) int64 classes; (n, length) int64
    tokens, negative where there is nothing to predict; (n,) or (n, k) float numbers; or None when there
    are no labels (agreement with the dense model is measured instead).
    """

    name: SplitName
    x: Tensor
    y: Tensor | None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a model is judged on. A split that does not exist says so in ``why_no_split``."""

    address: str
    splits: Mapping[str, Split]
    classes: tuple[str, ...]
    digest: str
    why_no_split: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    images: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """Where the units of a knob live in one parameter.

    Index i along ``dim`` belongs to unit ``units[i]`` (-1: to none of this knob's units).
    ``role``: "scored" rows decide how important a unit is; "follows" (biases, batch norm) and
    "consumes" (the next layers' input columns) go with it.
    """

    parameter: str
    dim: int
    units: Tensor
    role: Literal["scored", "follows", "consumes"]


@dataclass(frozen=True)
class Knob:
    """What one threshold line controls: one layer's weights, or one coupled set of channels.

    ``layers`` are the names of the layers whose units are scored; ``unit`` is the word for one
    unit ("weight", "channel", "head", ...); ``n_weights`` counts the scored weights. ``why_not``
    says why the line cannot be moved, ``locked_by`` why it is locked by default (the user may
    unlock it).
    """

    name: str
    layers: tuple[str, ...]
    n_units: int
    unit: str
    n_weights: int
    block: str
    kind: str
    why_not: str | None = None
    locked_by: str | None = None
    coupled_by: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=(), compare=False, repr=False)

    @property
    def n_may_go(self) -> int:
        """How many of its units may go. A layer without a single channel passes nothing on: one always stays.

        All weights may go, all groups may take their pattern, and all residual blocks leave their shortcuts.
        """
        return self.n_units if self.unit in ("weight", "group", "residual block") else max(0, self.n_units - 1)


class Ranking(Protocol):
    """Exact look-ups in one knob's scores (``engine.order.Magnitudes``)."""

    def count_below(self, value: float) -> int: ...

    def kth_smallest(self, k: int) -> float: ...


@dataclass(frozen=True, eq=False)
class Scores:
    """``values[knob.name]``: (n_units,) float, finite; higher means more important.

    Knobs whose line cannot be moved (``why_not``) have no values. ``ranks`` answers threshold
    and count look-ups in microseconds. ``deviations`` holds the
    standard deviation that thresholds given in that unit refer to: of the scored weights where
    scores are magnitudes, else of the scores. ``within`` ranks single weights inside a unit
    (by parameter), where the unit's pattern follows the criterion and not the weights.
    ``evidence`` is what a criterion that looks at data saw of ``n_seen`` samples; ``source``
    names those samples ("" where none were looked at).
    """

    knobs: tuple[Knob, ...]
    values: Mapping[str, Tensor]
    layers: LayerTable
    ranks: Mapping[str, Ranking]
    deviations: Mapping[str, float]
    within: Mapping[str, Tensor] = field(default_factory=dict)
    evidence: Any = None
    n_seen: int = 0
    source: str = ""


@dataclass(frozen=True)
class KnobPlan:
    """How many units of one knob go. ``threshold`` is the lowest score that is kept."""

    knob: Knob
    n_pruned: int
    threshold: float
    locked: bool

    @property
    def sparsity(self) -> float:
        return self.n_pruned / self.knob.n_units if self.knob.n_units else 0.0


@dataclass(frozen=True, eq=False)
class Plan:
    """What goes and what stays. ``masks[parameter]``: bool, the parameter's shape, True keeps.

    Parameters without a mask are untouched. Masks may cover parameters that are not prunable
    weights (batch-norm weight and bias, biases, the consumers' input columns) when whole units
    go. ``kept_shapes`` gives each parameter's shape after physical removal (empty when the
    units have no physical form). ``spec`` is the PruneSpec as JSON. ``notes`` say, one sentence
    each, why the request was met only in part. ``updates`` holds new values of kept weights, by
    parameter, where a criterion makes up for what goes. ``digest``: equal = equal masks and values.
    """

    spec: Mapping[str, Any]
    knobs: tuple[KnobPlan, ...]
    masks: Mapping[str, Tensor]
    layers: LayerTable
    asked: float
    digest: str
    kept_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    updates: Mapping[str, Tensor] = field(default_factory=dict)

    def n_pruned_in(self, layer: LayerInfo) -> int:
        mask = self.masks.get(layer.parameter)
        return 0 if mask is None else int(mask.numel() - mask.sum())

    @property
    def n_pruned(self) -> int:
        return sum(self.n_pruned_in(layer) for layer in self.layers.prunable)

    @property
    def sparsity(self) -> float:
        return self.n_pruned / self.layers.n_prunable if self.layers.n_prunable else 0.0

    @property
    def density(self) -> float:
        return 1.0 - self.sparsity


@dataclass(frozen=True, eq=False)
class PrunedModel:
    """A runnable pruned model. ``masked``: same shapes, zeros; ``sliced``: smaller tensors."""

    module: nn.Module
    plan: Plan
    form: Literal["masked", "sliced"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known after ``n`` of ``total`` samples; ``complete`` when n == total.

    ``drop`` is dense minus pruned on the same samples (positive = worse), with its own paired
    interval. ``judged_by`` says what ``accuracy`` is: the top-1 share ("labels"), the share of right
    tokens ("tokens"), R2 ("numbers"), or, without labels, the agreement with the dense model
    ("agreement"); ``loss`` is the mean absolute error for numbers. ``metrics`` holds what else the same
    pass measured, by name. ``predictions`` are the pruned model's, ``dense_predictions`` the dense
    model's, in the split's order: (n,) classes, (n, length) tokens or (n, k) numbers.
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


@dataclass(frozen=True)
class TradeOffPoint:
    """One setting of one model: what it costs and what it keeps.

    ``plan_digest`` is that of the masks; "" and a ``loss`` of None where they are not known. ``asked_ratio``
    is the compression ratio that was asked for; None where a sparsity was. ``protocol`` says what was done
    beside pruning (epochs, data, optimiser, seed); empty where nothing was.
    """

    spec: Mapping[str, Any]
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
    protocol: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TradeOff:
    """Points of one curve, those of several seeds too; ``is_control``: it is there to be beaten, drawn in grey."""

    label: str
    points: tuple[TradeOffPoint, ...]
    is_control: bool = False


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Equal digest = equal names, dtypes, shapes and bits. Order does not matter."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        if tensor.numel():
            total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()[:16]
