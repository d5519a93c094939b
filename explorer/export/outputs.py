"""What two forms of one model answer to the same inputs, and how far that is apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.types import LoadedModel, Split
from explorer.types.code_limit import Limited
from explorer.types.inputs import Inputs, call, mapped, tensors_of
from explorer.types.stopping import check
from explorer.types.tensors import tensors_in

BATCH = 256
N_GENERATED = 64


def judging_inputs(model: LoadedModel, split: Split | None) -> Inputs:
    """The samples of ``split``; without one, generated inputs like the model's example (standard normal)."""
    if split is not None:
        return split.x
    if model.example is None:
        raise ExplorerError("This model cannot be run.", why=model.why_not_runnable or "", fix="Give an example input.")
    generator = torch.Generator().manual_seed(0)

    def like(x: Tensor) -> Tensor:
        if not x.is_floating_point():
            return x[:1].expand(N_GENERATED, *x.shape[1:]).contiguous()
        return torch.randn(N_GENERATED, *x.shape[1:], generator=generator).to(x.dtype)

    return mapped(model.example, like)


def inputs_in_words(inputs: Inputs, split: Split | None) -> str:
    """What these inputs are, for a sentence."""
    n = len(inputs)
    return f"{n:,} generated inputs" if split is None else f"the {n:,} samples of the {split.name} split"


def in_order(inputs: Inputs) -> tuple[Tensor, ...]:
    """The inputs one after the other, as files without names take them."""
    return tuple(tensors_of(inputs).values())


def outputs(module: nn.Module, inputs: Inputs, code_seconds: float | None = None) -> list[Tensor]:
    """Every tensor of each batch's output, in order; ``code_seconds`` limits a batch in the user's own code."""
    tensors: list[Tensor] = []
    with Limited(code_seconds, "A pass for an export") as limited:
        for start in range(0, len(inputs), BATCH):
            check()
            tensors += limited(partial(_answers, module, inputs[start : start + BATCH]))
    return tensors


def _answers(module: nn.Module, inputs: Inputs) -> list[Tensor]:
    with torch.no_grad():
        return list(tensors_in(call(module, inputs)))


def apart(one: Sequence[Tensor], other: Sequence[Tensor], least: float = 1e-30) -> float:
    """The largest difference, relative to the largest of ``one`` (at least ``least``); infinite for other shapes."""
    if [tuple(t.shape) for t in one] != [tuple(t.shape) for t in other]:
        return math.inf
    pairs = [(a.double(), b.double()) for a, b in zip(one, other, strict=True) if a.numel()]
    difference = max((float((a - b).abs().max()) for a, b in pairs), default=0.0)
    largest = max((float(a.abs().max()) for a, _ in pairs), default=0.0)
    distance = difference / max(largest, least)
    return distance if math.isfinite(distance) else math.inf


def flips(one: Sequence[Tensor], other: Sequence[Tensor], labels: Tensor | None = None) -> int:
    """How many choices differ, in outputs that choose among classes; numbers that are predicted choose nothing.

    ``labels`` tell a single logit, which chooses by its sign, from a predicted number; without them it is none.
    """
    if labels is not None and labels.is_floating_point():
        return 0
    rows = [(_choices(a, labels), _choices(b, labels)) for a, b in zip(one, other, strict=True) if a.shape == b.shape]
    return sum(int((a != b).sum()) for a, b in rows if a is not None and b is not None)


def _choices(scores: Tensor, labels: Tensor | None) -> Tensor | None:
    """The class of each row (of each place in texts and maps); None where nothing is chosen."""
    if scores.dim() < 2 or not scores.is_floating_point() or not scores.numel():
        return None
    if scores.dim() == 2 and scores.shape[1] == 1:
        return None if labels is None else scores > 0
    return scores.argmax(-1 if scores.dim() == 3 else 1)
