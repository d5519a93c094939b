"""What follows from a task that was stated, whatever source the data are from."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from explorer.types import Dataset, Finding, Split
from explorer.types.inputs import tensors_of
from explorer.types.tasks import StatedTask

_IGNORED = -100


def stated(dataset: Dataset, task: StatedTask | None) -> Dataset:
    """Vectors need no targets; a text without labels is its own: each token's label is the token that follows."""
    if task == "embedding":
        splits = {name: replace(split, y=None, task="embedding") for name, split in dataset.splits.items()}
        return replace(dataset, splits=splits, classes=())
    if task != "tokens" or any(split.y is not None for split in dataset.splits.values()):
        return dataset
    shifted = {name: _shifted(split) for name, split in dataset.splits.items()}
    if None in shifted.values():
        return dataset
    what = "The texts have no labels: each token's label is the one that follows it."
    finding = Finding("ok", what, "The last token of each text has none.", "Give labels for another question.")
    splits = {name: split for name, split in shifted.items() if split is not None}
    return replace(dataset, splits=splits, classes=(), findings=(*dataset.findings, finding))


def _shifted(split: Split) -> Split | None:
    """The split with the labels of a causal language model; padding, where a mask tells it, is not predicted."""
    tensors = tensors_of(split.x)
    tokens = tensors.get("input_ids", next(iter(tensors.values())))
    if tokens.dim() != 2 or tokens.is_floating_point():
        return None
    y = torch.full_like(tokens, _IGNORED, dtype=torch.long)
    y[:, :-1] = tokens[:, 1:]
    mask: Tensor | None = tensors.get("attention_mask")
    if mask is not None:
        y[:, :-1][mask[:, 1:] == 0] = _IGNORED
    return replace(split, y=y)
