"""How scores are spread, with the zeros set apart: of one group, exactly, and of many layers over one axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.ranking.order import Magnitudes

Floats = NDArray[np.floating[Any]]
Counts = NDArray[np.int64]
# A few stray weights near zero must not push everything else into the last bins.
_DECADES = 6.0
_JUST_ABOVE_ZERO = np.float32(1.2e-38)
_TAIL_POINTS = 48


@dataclass(frozen=True, eq=False)
class ScoreHistogram:
    """The scores of one group in bins, and how many of them lie below any threshold.

    ``linear`` counts bins of equal width from ``start`` to ``high``; ``log`` bins of equal ratio from ``floor`` to
    ``high``, None where they have no place. ``n_zeros`` scores are exactly zero and in no bin. ``low`` is the lowest
    other score. ``below[i]`` scores are less than ``edges[i]`` (float32), exactly; ``is_exact``: none lies between.
    """

    low: float
    high: float
    start: float
    floor: float
    n_zeros: int
    is_exact: bool
    edges: Floats
    below: Counts
    linear: Counts
    log: Counts | None


def score_histogram(values: Tensor, points: int) -> ScoreHistogram:
    """The histogram of (n,) finite scores, n > 0; its table has about ``points`` thresholds, chosen by rank."""
    ranked = _ranked(values)
    n_zeros = int(np.searchsorted(ranked, 0.0, "right")) if ranked[0] >= 0 else 0
    low, high = float(ranked[min(n_zeros, len(ranked) - 1)]), float(ranked[-1])
    start, floor = _axis_start(low, high), max(low, high * 1e-5) if low > 0 else 0.0
    edges, below, is_exact = _table(ranked, n_zeros, points)
    n_bins = 48 if len(ranked) >= 1000 else 32 if len(ranked) >= 100 else 24
    return ScoreHistogram(
        low=low,
        high=high,
        start=start,
        floor=floor,
        n_zeros=n_zeros,
        is_exact=is_exact,
        edges=edges,
        below=below,
        linear=_bins(ranked[n_zeros:], np.linspace(start, high, n_bins + 1)),
        log=_bins(ranked[n_zeros:], np.geomspace(floor, high, n_bins + 1)) if 0 < floor < high else None,
    )


def _axis_start(low: float, high: float) -> float:
    """Zero, but just below the lowest score where all stand far from zero, as channel norms do."""
    far = 0.3 * high < low < high
    return max(0.0, low - 0.1 * (high - low)) if far else min(0.0, low)


def _ranked(values: Tensor) -> Floats:
    flat = values.detach().reshape(-1).cpu()
    if flat.dtype != torch.float64:
        flat = flat.float()
    return np.sort(flat.numpy())


def _table(ranked: Floats, n_zeros: int, points: int) -> tuple[Floats, Counts, bool]:
    """Values, and exactly how many scores are below each; ``exact`` if no score lies between."""
    n = len(ranked)
    first = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    exact = len(first) <= points and ranked.dtype == np.float32
    if exact:
        edges = ranked[first]
    else:
        ranks = np.linspace(0, n - 1, points).round().astype(np.int64)
        tail = np.linspace(float(ranked[min(n_zeros, n - 1)]), float(ranked[-1]), _TAIL_POINTS)
        edges = np.concatenate([ranked[ranks], tail])
    top = np.nextafter(np.float32(ranked[-1]), np.float32(np.inf))
    after_zero = [_JUST_ABOVE_ZERO] if n_zeros and not exact else []
    edges = np.unique(np.concatenate([edges.astype(np.float32), np.array([*after_zero, top], np.float32)]))
    return edges, np.searchsorted(ranked, edges.astype(ranked.dtype), "left"), exact


def _bins(ranked: Floats, edges: Floats) -> Counts:
    """Counts between edges; the outer bins take what lies outside."""
    below = np.searchsorted(ranked, edges[1:-1].astype(ranked.dtype), "left")
    return np.diff(np.concatenate([[0], below, [len(ranked)]]))


def _count_zeros(values: Magnitudes) -> int:
    if not values.size:
        return 0
    below = values.count_below(0.0)
    if below == values.size or values.kth_smallest(below) != 0.0:
        return 0
    tiny = torch.nextafter(torch.zeros(1, dtype=values.dtype), torch.ones(1, dtype=values.dtype))
    return values.count_below(float(tiny)) - below


@dataclass(frozen=True)
class LayerMap:
    """The magnitudes of many layers over one common axis.

    ``shares[i][j]``: the share of layer ``names[i]`` in ``[edges[j], edges[j + 1])``; the outer bins take what lies
    outside. ``zeros[i]``: the share that is exactly zero, in no bin.
    """

    names: tuple[str, ...]
    edges: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...]
    zeros: tuple[float, ...]


def layer_map(layers: Mapping[str, Tensor | Magnitudes], bins: int = 48) -> LayerMap:
    """All layers' magnitudes in ``bins`` common bins of equal ratio, for the overview of a large model.

    Give ``Scores.ranks`` where scores are known: then it takes milliseconds. Scores must not be negative.
    """
    magnitudes = {name: v if isinstance(v, Magnitudes) else Magnitudes.from_weights(v) for name, v in layers.items()}
    magnitudes = {name: values for name, values in magnitudes.items() if values.size}
    zeros = {name: _count_zeros(values) for name, values in magnitudes.items()}
    ends = [_positive_range(values, zeros[name]) for name, values in magnitudes.items() if zeros[name] < values.size]
    if not ends:
        return LayerMap(tuple(magnitudes), (), tuple(() for _ in magnitudes), tuple(1.0 for _ in magnitudes))
    high = max(top for _, top in ends)
    low = max(min(bottom for bottom, _ in ends), high * 10**-_DECADES)
    edges = np.geomspace(low, high, bins + 1) if low < high else np.array([low / 2, high])
    shares = (_shares(values, edges, zeros[name]) for name, values in magnitudes.items())
    return LayerMap(
        tuple(magnitudes),
        tuple(float(edge) for edge in edges),
        tuple(shares),
        tuple(zeros[name] / values.size for name, values in magnitudes.items()),
    )


def _positive_range(values: Magnitudes, n_zeros: int) -> tuple[float, float]:
    """The quantiles 0.5 % and 1: a single stray weight must not stretch the axis of all layers."""
    first = n_zeros + (values.size - n_zeros) // 200
    return values.kth_smallest(first), values.kth_smallest(values.size - 1)


def _shares(values: Magnitudes, edges: NDArray[np.float64], n_zeros: int) -> tuple[float, ...]:
    """The first and the last bin also take what lies outside the edges."""
    below_first = values.count_below(float(edges[0]))
    inner = below_first + np.cumsum(values.bins(edges))[:-1]
    below = np.array([n_zeros, *inner, values.size], dtype=np.float64)
    return tuple(float(share) for share in np.diff(below) / values.size)
