"""Where two models part: how far each layer's output is from the first model's, on the same inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from explorer.pruning.apply import private_shell
from explorer.pruning.running import fitting, runnable
from explorer.types import LoadedModel
from explorer.types.code_limit import Limited
from explorer.types.inputs import Inputs, call, first_of
from explorer.types.tensors import tensors_in

SAMPLES = 64
APART = 1e-5
"""From this relative difference on, outputs have parted: equal weights differ by rounding, some 1e-7, at most."""
_BINS = 60
_MOST_BYTES = 256 << 20  # of one model's outputs, held until the others have run
Recorded = Mapping[str, Sequence[Tensor]]


@dataclass(frozen=True)
class Activations:
    """How the outputs of one layer are distributed in both models: counts in bins of equal width from ``low`` to
    ``high``, which every finite output of either lies in."""

    low: float
    high: float
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class LayerDifference:
    """How far one layer's output is from the first model's: the norm of the difference over the first one's norm.

    ``n`` samples were looked at. None where ``why_not`` says why there is none. ``activations`` are both models' own.
    """

    layer: str
    difference: float | None
    n: int
    why_not: str = ""
    activations: Activations | None = None

    @property
    def has_parted(self) -> bool:
        """Whether that is more than rounding; what is no number has parted, too."""
        return self.difference is not None and not self.difference <= APART


def layer_differences(models: Sequence[LoadedModel], x: Inputs) -> tuple[tuple[LayerDifference, ...], ...]:
    """For each model but the first a difference of every layer that holds weights, in the order of the first pass."""
    samples = first_of(x, _affordable(models[0], x))
    first = _recorded(models[0], samples)
    return tuple(_differences(first, _recorded(other, samples), len(samples)) for other in models[1:])


def parts_at(differences: Sequence[LayerDifference]) -> str | None:
    """The first layer whose output has parted; None where none has."""
    return next((each.layer for each in differences if each.has_parted), None)


def _affordable(model: LoadedModel, x: Inputs) -> int:
    of_one = sum(t.numel() * t.element_size() for each in _recorded(model, first_of(x, 1)).values() for t in each)
    return max(1, min(SAMPLES, len(x), _MOST_BYTES // max(1, of_one)))


def _recorded(model: LoadedModel, x: Inputs) -> Recorded:
    """Every output of each module that holds weights of its own, by its path, in the order of the first call."""
    shell, outputs = private_shell(runnable(model)), dict[str, list[Tensor]]()
    for path, part in shell.named_modules():
        if next(part.parameters(recurse=False), None) is not None:
            part.register_forward_hook(partial(_record, outputs, path))
    with Limited(model.code_seconds, "A pass of a comparison") as limited:
        limited(partial(_run, shell, x))
    return outputs


def _record(outputs: dict[str, list[Tensor]], path: str, _module: nn.Module, _inputs: object, output: object) -> None:
    tensors = [tensor.detach().cpu() for tensor in tensors_in(output) if tensor.is_floating_point()]
    outputs.setdefault(path, []).extend(tensor.clone() for tensor in tensors[:1])


def _run(shell: nn.Module, x: Inputs) -> None:
    with torch.inference_mode():
        call(shell, fitting(x, shell))


def _differences(first: Recorded, other: Recorded, n: int) -> tuple[LayerDifference, ...]:
    return tuple(_difference(path, outputs, other.get(path), n) for path, outputs in first.items())


def _difference(path: str, outputs: Sequence[Tensor], others: Sequence[Tensor] | None, n: int) -> LayerDifference:
    if not others:
        return LayerDifference(path, None, n, "The other model has no such layer.")
    if [tensor.shape for tensor in outputs] != [tensor.shape for tensor in others]:
        return LayerDifference(path, None, n, "The shapes of the outputs differ.")
    apart = math.sqrt(sum(_square(a.double() - b.double()) for a, b in zip(outputs, others, strict=True)))
    size = math.sqrt(sum(_square(a.double()) for a in outputs))
    relative = apart / size if size else (math.inf if apart else 0.0)
    return LayerDifference(path, relative, n, activations=_activations(outputs, others))


def _activations(outputs: Sequence[Tensor], others: Sequence[Tensor]) -> Activations | None:
    one, other = (torch.cat([tensor.flatten().double() for tensor in tensors]) for tensors in (outputs, others))
    one, other = one[one.isfinite()], other[other.isfinite()]
    if not len(one) or not len(other):
        return None
    low, high = float(min(one.min(), other.min())), float(max(one.max(), other.max()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = [np.histogram(values.numpy(), _BINS, (low, high))[0].tolist() for values in (one, other)]
    return Activations(low, high, tuple(counts[0]), tuple(counts[1]))


def _square(tensor: Tensor) -> float:
    return float(tensor.square().sum())
