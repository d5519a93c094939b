"""Running a model to learn something about it: private copies, batches, the loss."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.errors import ExplorerError
from explorer.pruning.running import are_tokens, class_scores, output_of, runnable
from explorer.types import LoadedModel, Split
from explorer.types.inputs import Inputs, call
from explorer.types.stopping import check

_NO_TOKEN = -100


def private_copy(model: LoadedModel, *, gradients: bool) -> nn.Module:
    """A copy of the network in eval mode, whose parameters take gradients if wanted."""
    return copy.deepcopy(runnable(model)).eval().requires_grad_(gradients)


def batches_of(split: Split, n_batches: int) -> Iterator[tuple[Inputs, Tensor | None]]:
    """The samples and labels in ``n_batches`` parts of about equal size, none of them empty."""
    size = -(-len(split) // max(1, n_batches))
    for start in range(0, len(split), size):
        check()
        part = slice(start, start + size)
        yield split.x[part], None if split.y is None else split.y[part]


def loss_of(module: nn.Module, x: Inputs, y: Tensor | None) -> Tensor:
    """The mean cross entropy of a batch, of classes or of tokens: what gradients are taken of."""
    if y is None:
        raise ExplorerError("There is no loss without labels.", fix="Give labelled data.")
    if are_tokens(y):
        scores = output_of(call(module, x))
        if not isinstance(scores, Tensor) or scores.shape[:2] != y.shape:
            raise ExplorerError("The model gives no scores for each token.", fix="Choose a language model.")
        return F.cross_entropy(scores.flatten(0, 1), y.where(y >= 0, _NO_TOKEN).flatten(), ignore_index=_NO_TOKEN)
    return F.cross_entropy(class_scores(call(module, x)), y)


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in another order would give other last digits: one thread gives the same bits every time."""
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
