"""Running a model to learn something about it: private copies, batches, outputs, the loss."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.errors import ExplorerError
from explorer.types import LoadedModel, Split


def private_copy(model: LoadedModel, *, gradients: bool) -> nn.Module:
    """A copy of the network in eval mode, whose parameters take gradients if wanted."""
    if model.module is None:
        raise ExplorerError("This model cannot be run.", why=model.why_not_runnable or "", fix="Give its architecture.")
    module = copy.deepcopy(model.module).eval()
    return module.requires_grad_(gradients)


def batches_of(split: Split, n_batches: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The samples and labels in ``n_batches`` parts of about equal size, none of them empty."""
    size = -(-len(split) // max(1, n_batches))
    for start in range(0, len(split), size):
        part = slice(start, start + size)
        yield split.x[part], None if split.y is None else split.y[part]


def logits(output: Any) -> Tensor:
    """The class scores in what a model returns: a tensor, or the first or ``logits`` of several."""
    if isinstance(output, dict):
        output = output.get("logits", next(iter(output.values()), None))
    elif not isinstance(output, Tensor) and hasattr(output, "logits"):
        output = output.logits
    elif isinstance(output, tuple | list) and output:
        output = output[0]
    if not isinstance(output, Tensor):
        raise ExplorerError("The model gives no class scores.", fix="Choose a classifier.")
    return output


def loss_of(module: nn.Module, x: Tensor, y: Tensor | None) -> Tensor:
    """The mean cross entropy of a batch: what gradients are taken of."""
    if y is None:
        raise ExplorerError("There is no loss without labels.", fix="Give labelled data.")
    return F.cross_entropy(logits(module(x)), y)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in another order would give other last digits: one thread gives the same bits every time."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
