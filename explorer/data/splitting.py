"""Fixed, shuffled, stratified orders: every prefix of a split is a fair sample of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor

from explorer.types import Inputs, Split, SplitName
from explorer.types.inputs import LazySamples, taken, tensors_of

NAMES: tuple[SplitName, SplitName, SplitName] = ("fit", "tune", "test")
WHY_FLAT = (
    "The data is not divided: every sample is in the tune split. Divide it with splits "
    '(for example "0.5/0.25/0.25") or put it into fit, tune and test folders.'
)


def stratified_order(y: Tensor | None, n: int, seed: int) -> Tensor:
    """(n,) indices in which every prefix holds each class in proportion, to within one sample.

    The i-th sample of a class with m members is placed at (i + u) / m, u uniform in [0, 1).
    Without classes (no labels, numbers, texts) the order is simply shuffled.
    """
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(n, generator=generator)
    if y is None or y.dim() != 1 or y.is_floating_point() or y.dtype == torch.bool:
        return shuffled
    labels = y[shuffled]
    place = torch.rand(n, generator=generator, dtype=torch.float64)
    for label in torch.unique(labels).tolist():
        members = (labels == label).nonzero().flatten()
        place[members] = (torch.arange(len(members)) + place[members]) / len(members)
    return shuffled[place.argsort(stable=True)]


def sizes(n: int, parts: tuple[float, float, float]) -> tuple[int, int, int]:
    """How many samples each split gets: tune and test are rounded up, fit takes the rest."""
    n_tune = min(n, math.ceil(parts[1] * n - 1e-9))
    n_test = min(n - n_tune, math.ceil(parts[2] * n - 1e-9))
    return n - n_tune - n_test, n_tune, n_test


def divide(y: Tensor | None, n: int, parts: tuple[float, float, float], seed: int) -> dict[SplitName, Tensor]:
    """Disjoint indices for fit, tune and test, each stratified and in its own fixed order."""
    order = stratified_order(y, n, seed)
    out: dict[SplitName, Tensor] = {}
    for name, part in zip(NAMES, torch.split(order, list(sizes(n, parts))), strict=True):
        labels = None if y is None else y[part]
        out[name] = part[stratified_order(labels, len(part), seed + 1)]
    return out


def make_splits(
    x: Inputs, y: Tensor | None, parts: tuple[float, float, float] | None, seed: int
) -> tuple[dict[str, Split], dict[str, str]]:
    """Splits of data that came in one piece, and why those that are absent are absent.

    Without ``parts`` everything is the tune split.
    """
    shares = parts or (0.0, 1.0, 0.0)
    indices = divide(y, len(x), shares, seed)
    present = {name: Split(name, taken(x, i), None if y is None else y[i]) for name, i in indices.items() if len(i)}
    why = WHY_FLAT if parts is None else "Its share of the data is 0 or rounds to no sample."
    return cast(dict[str, Split], present), {name: why for name in NAMES if name not in present}


def ordered(name: SplitName, x: Inputs, y: Tensor | None, seed: int) -> Split:
    """A split that came ready-made, put into its fixed stratified order."""
    order = stratified_order(y, len(x), seed)
    return Split(name, taken(x, order), None if y is None else y[order])


def counts(splits: Mapping[str, Split]) -> dict[str, int]:
    """How many samples each split holds."""
    return {name: len(split) for name, split in splits.items()}


def tensors(splits: Mapping[str, Split]) -> dict[str, Tensor]:
    """Every tensor of the splits under one name each: what a digest is made of."""
    out: dict[str, Tensor] = {}
    for name, split in splits.items():
        several = not isinstance(split.x, Tensor | LazySamples)
        out |= {f"{name}.x" + f".{key}" * several: tensor for key, tensor in tensors_of(split.x).items()}
        if (y := split.targets if split.y is None else split.y) is not None:
            out[f"{name}.y"] = y
    return out
