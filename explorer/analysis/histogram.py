"""How the magnitudes of one tensor are spread, with the zeros set apart. Counts are exact at any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.ranking.order import Magnitudes

Scale = Literal["linear", "log"]
# A few stray weights near zero must not push everything else into the last bins.
_DECADES = 6.0
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Histogram:
    """Bins ``[edges[i], edges[i + 1])`` (the last includes its end) with exact ``counts``.

    ``n_zeros`` are apart and in no bin. On a log scale the first bin also takes whatever is smaller than its
    edge. ``n_not_finite`` counts NaN and infinities, which lie in no bin either. No edges: nothing but zeros.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    n_zeros: int
    n_not_finite: int
    scale: Scale

    @property
    def n(self) -> int:
        """How many values were looked at."""
        return sum(self.counts) + self.n_zeros + self.n_not_finite

    @property
    def cumulative(self) -> tuple[int, ...]:
        """How many values lie below each edge, zeros included; at the last edge all finite ones."""
        return tuple(int(n) for n in self.n_zeros + np.cumsum([0, *self.counts]))


def magnitude_histogram(values: Tensor | Magnitudes, bins: int = 64, scale: Scale = "linear") -> Histogram:
    """The histogram of |values|: a tensor of any shape, or magnitudes that were counted before.

    Scores enter as ``Magnitudes.from_scores``; on a log scale they must not be negative. About 0.1 s for
    25 M weights with a few megabytes of extra memory; from ``Magnitudes`` a small part of it.
    """
    if bins < 1:
        raise ExplorerError(f"A histogram cannot have {bins} bins.", fix="Ask for at least 1.")
    n_not_finite = 0
    if isinstance(values, Tensor):
        floats = values.detach() if values.is_floating_point() else values.detach().float()
        n_not_finite = count_not_finite(floats)
        values = Magnitudes.from_weights(floats[torch.isfinite(floats)] if n_not_finite else floats)
    lowest = values.kth_smallest(0) if values.size else 0.0
    if lowest < 0 and scale == "log":
        what = "Negative scores have no place on a log scale."
        raise ExplorerError(what, fix="Choose the linear scale.")
    n_zeros = _count_zeros(values)
    edges = _edges(values, n_zeros, bins, scale)
    counts = _counts(values, edges, n_zeros if lowest >= 0 else 0)
    if lowest < 0:
        counts = _without_zeros(edges, counts, n_zeros)
    return Histogram(tuple(edges), tuple(counts), n_zeros, n_not_finite, scale)


def count_not_finite(values: Tensor) -> int:
    """NaN and infinities among the values, a chunk at a time."""
    pieces = torch.split(values.detach().reshape(-1), _CHUNK)
    return sum(int(piece.numel() - torch.isfinite(piece).sum()) for piece in pieces)


def _count_zeros(values: Magnitudes) -> int:
    if not values.size:
        return 0
    below = values.count_below(0.0)
    if below == values.size or values.kth_smallest(below) != 0.0:
        return 0
    tiny = torch.nextafter(torch.zeros(1, dtype=values.dtype), torch.ones(1, dtype=values.dtype))
    return values.count_below(float(tiny)) - below


def _edges(values: Magnitudes, n_zeros: int, bins: int, scale: Scale) -> list[float]:
    """Edges as the tensor's own type has them, so that counts and edges say the same."""
    if n_zeros == values.size:
        return []
    high = values.kth_smallest(values.size - 1)
    low = values.kth_smallest(0)
    spread: NDArray[np.float64]
    if scale == "log":
        low = max(values.kth_smallest(n_zeros), high * 10**-_DECADES)
        spread = np.geomspace(low, high, bins + 1) if low < high else np.array([low / 2, high])
    else:
        start, stop = min(0.0, low), max(0.0, high)
        spread = np.linspace(start, stop, bins + 1)
    rounded = torch.from_numpy(spread).to(values.dtype).double()
    return [float(edge) for edge in torch.unique(rounded)]


def _counts(values: Magnitudes, edges: Sequence[float], n_zeros: int) -> list[int]:
    """The first bin takes what lies below it too (on a linear scale only zeros do, and they are taken out)."""
    if not edges:
        return []
    counts = [int(n) for n in values.bins(edges)]
    counts[0] += values.count_below(edges[0]) - n_zeros
    return counts


def _without_zeros(edges: Sequence[float], counts: list[int], n_zeros: int) -> list[int]:
    """Signed scores: the zeros leave the bin they fell into."""
    last = len(counts) - 1
    for i, (low, high) in enumerate(pairwise(edges)):
        if low <= 0 < high or (i == last and high == 0):
            counts[i] -= n_zeros
            break
    return counts


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
    known = {name: v if isinstance(v, Magnitudes) else Magnitudes.from_weights(v) for name, v in layers.items()}
    known = {name: values for name, values in known.items() if values.size}
    zeros = {name: _count_zeros(values) for name, values in known.items()}
    ends = [_positive_range(values, zeros[name]) for name, values in known.items() if zeros[name] < values.size]
    if not ends:
        return LayerMap(tuple(known), (), tuple(() for _ in known), tuple(1.0 for _ in known))
    high = max(top for _, top in ends)
    low = max(min(bottom for bottom, _ in ends), high * 10**-_DECADES)
    edges = np.geomspace(low, high, bins + 1) if low < high else np.array([low / 2, high])
    shares = (_shares(values, edges, zeros[name]) for name, values in known.items())
    return LayerMap(
        tuple(known),
        tuple(float(edge) for edge in edges),
        tuple(shares),
        tuple(zeros[name] / values.size for name, values in known.items()),
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
