"""What the weights of each layer are like: one row of numbers a tensor, and its units ranked by norm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.types import LayerInfo, LayerTable, LoadedModel, Plan

_CHUNK = 1 << 20


@dataclass(frozen=True)
class LayerStatistics:
    """One row of the weights table; the moments leave NaN and infinities out.

    ``std`` divides by n. ``kurtosis`` is the excess kurtosis of the population: 0 for a normal distribution,
    3 for a Laplace one. A value that is not defined (no finite weights; kurtosis of equal weights) is None.
    ``n_zeros`` counts weights that are exactly zero in the dense model, ``n_pruned`` those the plan masks.
    """

    name: str
    parameter: str
    kind: str
    block: str
    shape: tuple[int, ...]
    dtype: str
    n_weights: int
    n_zeros: int
    n_pruned: int
    mean: float | None
    std: float | None
    kurtosis: float | None
    minimum: float | None
    maximum: float | None
    n_nan: int
    n_inf: int
    why_not: str | None

    @property
    def prunable(self) -> bool:
        return self.why_not is None


@dataclass(frozen=True)
class UnitNorms:
    """Units from the strongest to the weakest: ``norms[i]`` belongs to unit ``units[i]``; ``kept[i]`` if it stays."""

    units: tuple[int, ...]
    norms: tuple[float, ...]
    kept: tuple[bool, ...]
    p: float


def layer_statistics(model: LoadedModel, layers: LayerTable, plan: Plan | None = None) -> Iterator[LayerStatistics]:
    """One row for each parameter of the table, in its order; the values are the dense model's.

    About 0.3 s for 25 M weights, in chunks of a million.
    """
    for layer in layers:
        yield statistics_of(layer, model.weights[layer.parameter], 0 if plan is None else plan.n_pruned_in(layer))


def statistics_of(layer: LayerInfo, weights: Tensor, n_pruned: int = 0) -> LayerStatistics:
    """The row of one tensor of any floating-point or whole-number type."""
    flat = weights.detach().reshape(-1)
    n_nan, n_inf, n_zeros = _special(flat)
    moments = _Moments.of(flat)
    return LayerStatistics(
        name=layer.name,
        parameter=layer.parameter,
        kind=layer.kind,
        block=layer.block,
        shape=layer.shape,
        dtype=str(weights.dtype).removeprefix("torch."),
        n_weights=flat.numel(),
        n_zeros=n_zeros,
        n_pruned=n_pruned,
        mean=moments.mean,
        std=moments.std,
        kurtosis=moments.kurtosis,
        minimum=moments.minimum,
        maximum=moments.maximum,
        n_nan=n_nan,
        n_inf=n_inf,
        why_not=layer.why_not,
    )


def unit_norms(weights: Tensor, mask: Tensor | None = None, *, dim: int = 0, p: float = 2.0) -> UnitNorms:
    """The units along ``dim`` (0: output rows) ranked by (mean |w|^p)^(1/p), as the lp_norm criterion scores them.

    A unit is kept when the mask keeps any of its weights. Equal norms stay in index order. A vector has one
    weight a unit. NaN ranks first, so that a broken unit is seen.
    """
    rows = weights.detach().movedim(dim, 0).reshape(weights.shape[dim], -1).double()
    norms = rows.abs().pow(p).mean(dim=1).pow(1 / p)
    stays = torch.ones(len(rows), dtype=torch.bool)
    if mask is not None:
        stays = mask.movedim(dim, 0).reshape(len(rows), -1).any(dim=1)
    order = torch.argsort(norms, descending=True, stable=True)
    return UnitNorms(tuple(order.tolist()), tuple(norms[order].tolist()), tuple(stays[order].tolist()), p)


def finite_chunks(flat: Tensor) -> Iterator[Tensor]:
    """The finite values of a flat tensor as float64, about a million at a time."""
    for piece in torch.split(flat, _CHUNK):
        wide = piece.cpu().double()
        finite = torch.isfinite(wide)
        yield wide if bool(finite.all()) else wide[finite]


def _special(flat: Tensor) -> tuple[int, int, int]:
    pieces = torch.split(flat, _CHUNK)
    return (
        sum(int(torch.isnan(piece).sum()) for piece in pieces),
        sum(int(torch.isinf(piece).sum()) for piece in pieces),
        sum(int(piece.numel() - torch.count_nonzero(piece)) for piece in pieces),
    )


@dataclass(frozen=True)
class _Moments:
    mean: float | None = None
    std: float | None = None
    kurtosis: float | None = None
    minimum: float | None = None
    maximum: float | None = None

    @classmethod
    def of(cls, flat: Tensor) -> _Moments:
        """Two passes: central moments about the true mean lose no digits."""
        n, total, low, high = 0, 0.0, math.inf, -math.inf
        for piece in finite_chunks(flat):
            if piece.numel():
                n += piece.numel()
                total += float(piece.sum())
                low, high = min(low, float(piece.min())), max(high, float(piece.max()))
        if not n:
            return cls()
        mean = total / n if low < high else low
        second = fourth = 0.0
        for piece in finite_chunks(flat):
            squares = (piece - mean).square()
            second += float(squares.sum()) / n
            fourth += float(squares.square().sum()) / n
        kurtosis = fourth / second**2 - 3.0 if second**2 > 0 else None
        return cls(mean, math.sqrt(second), kurtosis, low, high)
