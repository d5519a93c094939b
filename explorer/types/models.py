"""What is looked at: a model with its layers, and the data that it is evaluated on."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.types.aliases import JsonObject
from explorer.types.brief import Brief
from explorer.types.inputs import Inputs, as_inputs, first_of
from explorer.types.results import Finding, Task
from explorer.types.small import is_small, joined, parts_with, small_by_type

SplitName = Literal["fit", "tune", "test"]


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
        return math.prod(self.shape)

    @property
    def prunable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True, repr=False)
class LayerTable(Brief):
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

    @cached_property
    def prunable(self) -> tuple[LayerInfo, ...]:
        return tuple(layer for layer in self.layers if layer.prunable)

    @cached_property
    def n_prunable(self) -> int:
        return sum(layer.n_weights for layer in self.prunable)

    def _in_brief(self) -> JsonObject:
        return {"layers": len(self), "prunable": len(self.prunable), "prunable_weights": self.n_prunable}


@dataclass(frozen=True, eq=False, repr=False)
class LoadedModel(Brief):
    """A model in eval mode that no stage ever writes to.

    ``module`` is None when a file was opened weights-only (no architecture): then
    ``why_not_runnable`` says why in a sentence. ``weights`` maps every parameter path to its
    tensor (tied weights once). ``buffers`` is what else a weights-only file holds (statistics, counters, positions);
    where the model runs they are its module's. ``example`` is a batch of one input (None if not runnable).
    ``matrices`` names parameters that the data are multiplied with though they are not called weights.
    ``repairs`` says, one sentence each, what was mended while reading the file.
    ``meta`` is JSON-able: architecture and its arguments, source, licence, split accuracies.
    ``original``: the ONNX file that the network was converted from, without the numbers of its weights.
    ``code_seconds``: after so long an evaluation gives up a piece of work in the user's own code; None: never.
    """

    address: str
    module: nn.Module | None
    weights: Mapping[str, Tensor]
    digest: str
    example: Inputs | None = None
    n_classes: int | None = None
    data: str | None = None
    why_not_runnable: str | None = None
    repairs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    meta: JsonObject = field(default_factory=dict)
    code_seconds: float | None = None
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    matrices: tuple[str, ...] = ()
    original: bytes = b""

    def __post_init__(self) -> None:
        if self.example is not None:  # a tuple or a dict will do
            object.__setattr__(self, "example", as_inputs(self.example))

    def __reduce__(self) -> Any:
        raise TypeError("A LoadedModel is not pickled: pass its address instead.")

    @property
    def n_parameters(self) -> int:
        return sum(t.numel() for t in self.weights.values())

    @cached_property
    def nonzero(self) -> Mapping[str, Tensor]:
        """Masks of the weights that are not exactly zero; parameters without a zero have none."""
        masks = dict(_small_nonzero(self.weights))
        masks |= {name: tensor != 0 for name, tensor in self.weights.items() if not is_small(tensor)}
        return {name: masks[name] for name in self.weights if name in masks and not bool(masks[name].all())}

    @property
    def identity(self) -> str:
        """Equal identity = equal weights *and* equal way to run them; what results are kept under.

        The same weights give other results as another architecture (more heads, say), and none without one.
        """
        how = {"arch": self.meta.get("arch"), "args": self.meta.get("arch_args"), "runs": self.module is not None}
        if "structure" in self.meta:  # of a module, which has no architecture by name
            how["structure"] = self.meta["structure"]
        return f"{self.digest}-{hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:8]}"

    def _in_brief(self) -> JsonObject:
        is_run = self.module is not None
        about = {"address": self.address, "parameters": self.n_parameters, "classes": self.n_classes, "data": self.data}
        return about | {"runs": is_run, "digest": self.digest}


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Equal digest = equal names, dtypes, shapes and bits. Order does not matter."""
    total = hashlib.sha256()
    small = dict(_small_bytes(tensors))
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        if tensor.numel():
            total.update(small[name] if name in small else _bytes(tensor.detach().cpu().contiguous().reshape(-1)))
    return total.hexdigest()[:16]


def _bytes(numbers: Tensor) -> memoryview:
    return numbers.view(torch.uint8).numpy().data


def _small_nonzero(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Masks of the small tensors that hold a zero: of thousands few do."""
    for names in small_by_type(tensors).values():
        numbers, sizes = joined(tensors, names)
        nonzero, ends = numbers != 0, torch.tensor(sizes).cumsum(0)
        for i in parts_with(~nonzero, ends):
            end = int(ends[i])
            yield names[i], nonzero[end - sizes[i] : end].reshape(tensors[names[i]].shape)


def _small_bytes(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, memoryview]]:
    for names in small_by_type(tensors).values():
        numbers, sizes = joined(tensors, names)
        if not len(numbers):
            continue
        whole, width, start = _bytes(numbers), numbers.element_size(), 0
        for name, size in zip(names, sizes, strict=True):
            yield name, whole[start : start + size * width]
            start += size * width


@dataclass(frozen=True, eq=False, repr=False)
class Split(Brief):
    """Samples in a fixed, shuffled, stratified order: every prefix is a fair sample.

    ``x``: model inputs (n, ...), already normalised: one tensor, or an ``InputSet`` of several with n rows each.
    ``y``: (n,) int64 classes; (n, length) int64 tokens, negative where there is nothing to predict; (n, height,
    width) int64 classes of places; (n,) or (n, k) float numbers; (n, k) bool where each sample has several labels or
    none; or None when there are no labels (agreement with the dense model is measured instead). ``targets``: what only
    the user's own metrics look at, in
    place of ``y``. ``task``: what the outputs are, where that was stated and cannot be seen from them and ``y``.
    """

    name: SplitName
    x: Inputs
    y: Tensor | None
    targets: Tensor | None = None
    task: Task | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", as_inputs(self.x))

    def __len__(self) -> int:
        return len(self.x)

    def first(self, n: int | None) -> Split:
        """The first ``n`` samples (None: all), which are a fair sample; of lazy ones none is made."""
        if n is None or n >= len(self):
            return self
        if n < 1:
            raise ExplorerError(f"{n} samples are too few.", fix="Take at least one.")
        y, targets = (None if of is None else of[:n] for of in (self.y, self.targets))
        return Split(self.name, first_of(self.x, n), y, targets, self.task)

    def _in_brief(self) -> JsonObject:
        return {"name": self.name, "samples": len(self), "labels": self.y is not None}


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Brief):
    """What a model is evaluated on. A split that does not exist says so in ``why_no_split``.

    ``findings`` say what was passed over, and what was guessed, when the data were read. ``options``: what was given
    beside the address, to read them again.
    """

    address: str
    splits: Mapping[str, Split]
    classes: tuple[str, ...]
    digest: str
    why_no_split: Mapping[str, str] = field(default_factory=dict)
    meta: JsonObject = field(default_factory=dict)
    images: bool = False
    findings: tuple[Finding, ...] = ()
    options: JsonObject = field(default_factory=dict)

    def class_name(self, index: int) -> str:
        """What a class is called; its number where the model tells more classes apart than the data has."""
        return self.classes[index] if 0 <= index < len(self.classes) else str(index)

    def _in_brief(self) -> JsonObject:
        samples = {name: len(split) for name, split in self.splits.items()}
        return {"address": self.address, "samples": samples, "classes": len(self.classes), "digest": self.digest}
