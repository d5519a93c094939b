"""What the screen must say, worked out without the app and without the explorer's engine."""

from __future__ import annotations

from functools import cache

import torch

import explorer as ex
from explorer.types import Dataset, LoadedModel


@cache
def opened(name: str) -> tuple[LoadedModel, Dataset]:
    model = ex.load(name)
    return model, ex.load_data("digits", model=model)


def removed(name: str, spec: ex.PruneSpec) -> str:
    """ "61,658 of 77,072": counted from the masks."""
    plan = ex.plan(opened(name)[0], spec)
    masks = plan.masks.values()
    return f"{sum(int((~mask).sum()) for mask in masks):,} of {plan.layers.n_prunable:,}"


def accuracy(name: str, spec: ex.PruneSpec) -> str:
    """One plain forward pass over the tune split."""
    model, data = opened(name)
    split = data.splits["tune"]
    assert split.y is not None
    with torch.no_grad():
        answers = ex.masked(model, ex.plan(model, spec, data=data)).module(split.x).argmax(dim=1)
    return f"{100 * float((answers == split.y).double().mean()):.1f}%"


def below(name: str, line: float) -> int:
    """How many prunable weights lie below a line, by comparing every one of them."""
    model = opened(name)[0]
    layers = ex.layers(model).prunable
    return sum(int((model.weights[layer.parameter].abs() < line).sum()) for layer in layers)
