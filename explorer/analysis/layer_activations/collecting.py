"""Two passes over the samples: the first finds the ends of each layer's values, the second counts between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from explorer.analysis.layer_activations.outputs import LayerOutputs, Viewpoint, by_channel, by_sample
from explorer.analysis.layer_activations.result import BINS, ActivationSpread, ActivationStatistics, LayerActivations
from explorer.pruning.apply import masked
from explorer.pruning.evidence.watching import watched
from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel, Plan, Split
from explorer.types.code_limit import Limited

PEAKS = 8
_MOST_COUNTS = 4_000_000  # a layer with more channels than fill that is counted in bins as a whole
_AT_ONCE = 1 << 22  # values, so that what is computed of them stays small
Ends = tuple[float, float]


def statistics(model: LoadedModel, split: Split, plan: Plan | None = None) -> ActivationStatistics:
    """The activations of the dense network, and of the one that ``plan`` makes, over all samples of ``split``.

    Of a layer that a nonlinearity reads, what comes out of that is counted; of another its own outputs. Raises
    ExplorerError for a model that cannot run.
    """
    networks = [model, *([pruned(model, plan)] if plan is not None and plan.n_pruned else [])]
    sums = [_first_pass(network, split) for network in networks]
    places = [place for place in _chosen(sums[0]) if all(place in one for one in sums)]
    ends = {place: _ends([one[place] for one in sums]) for place in places}
    counts = [_second_pass(network, split, ends) for network in networks]
    names = {layer.parameter: layer.name for layer in layer_table(model)}
    layers = [
        LayerActivations(
            names[place.parameter], place.parameter, ", ".join(sorted(sums[0][place].after)), *ends[place],
            *(_spread(one[place], count[place]) for one, count in zip(sums, counts, strict=True)),
        )
        for place in places
    ]  # fmt: skip
    return ActivationStatistics(model.address, tuple(layers), split.name, len(split), plan.sparsity if plan else 0.0)


def pruned(model: LoadedModel, plan: Plan) -> LoadedModel:
    """The same model to be run, with zeros where the plan cuts."""
    return replace(model, module=masked(model, plan).module)


@dataclass(eq=False)
class _Sums:
    """Of each channel the number of values, how many are finite, and the sums of these and of their squares."""

    total: Tensor
    squares: Tensor
    finite: Tensor
    n: int = 0
    low: float = math.inf
    high: float = -math.inf
    after: set[str] = field(default_factory=set)


@dataclass(eq=False)
class _Counts:
    bins: Tensor
    zeros: Tensor
    peaks: Tensor
    samples: Tensor


class _First(LayerOutputs):
    def __init__(self, names: Mapping[int, str], sums: dict[Viewpoint, _Sums]) -> None:
        super().__init__(names)
        self._sums = sums

    def values(self, place: Viewpoint, name: str, out: Tensor, dim: int) -> None:
        rows = by_channel(out, dim)
        one = self._sums.setdefault(place, _no_sums(len(rows)))
        one.after |= {name} - {""}
        one.n += rows.shape[1]
        for part in _parts(rows):
            values = rows[part].double()
            finite = values.isfinite()
            one.low = min(one.low, float(values.where(finite, math.inf).min()))
            one.high = max(one.high, float(values.where(finite, -math.inf).max()))
            values = values.where(finite, 0)
            one.total[part] += values.sum(dim=1)
            one.squares[part] += values.square().sum(dim=1)
            one.finite[part] += finite.sum(dim=1)


class _Second(LayerOutputs):
    def __init__(
        self, names: Mapping[int, str], counts: dict[Viewpoint, _Counts], ends: Mapping[Viewpoint, Ends]
    ) -> None:
        super().__init__(names)
        self._counts, self._ends = counts, ends

    def values(self, place: Viewpoint, name: str, out: Tensor, dim: int) -> None:
        if place not in self._ends:
            return
        rows, n = by_channel(out, dim), out.shape[dim]
        one = self._counts.setdefault(place, _no_counts(n))
        edges = torch.from_numpy(np.linspace(*self._ends[place], BINS + 1))
        for part in _parts(rows):
            values = rows[part].double()
            one.zeros[part] += (values == 0).sum(dim=1)
            if len(one.bins) == n:
                one.bins[part] += _binned(values, edges)
            else:
                one.bins += _binned(values.reshape(1, -1), edges)
        strongest = by_sample(out, dim, self.n_samples)
        if strongest is not None:
            _take_peaks(one, strongest, self.at)


def _no_sums(n: int) -> _Sums:
    none = torch.zeros(n, dtype=torch.float64)
    return _Sums(none, none.clone(), none.clone())


def _no_counts(n: int) -> _Counts:
    bins = torch.zeros(n if n * BINS <= _MOST_COUNTS else 1, BINS, dtype=torch.int64)
    return _Counts(bins, torch.zeros(n, dtype=torch.int64), torch.zeros(n, 0), torch.zeros(n, 0, dtype=torch.int64))


def _parts(rows: Tensor) -> Iterator[slice]:
    step = max(1, _AT_ONCE // max(1, rows.shape[1]))
    return (slice(start, start + step) for start in range(0, len(rows), step))


def _binned(rows: Tensor, edges: Tensor) -> Tensor:
    """Each row's counts of finite values other than zero; the last bin has both of its ends."""
    counted = rows.isfinite() & (rows != 0)
    places = torch.bucketize(rows[counted], edges, right=True).sub_(1).clamp_(0, BINS - 1)
    of_row = torch.arange(len(rows))[:, None].expand_as(rows)[counted]
    return torch.bincount(of_row * BINS + places, minlength=len(rows) * BINS).reshape(len(rows), BINS)


def _take_peaks(one: _Counts, strongest: Tensor, at: int) -> None:
    """Of all batches so far the samples that excite each channel most; ties in the order of the samples."""
    places = torch.arange(at, at + strongest.shape[1]).expand_as(strongest)
    values, samples = torch.cat([one.peaks, strongest], dim=1), torch.cat([one.samples, places], dim=1)
    order = torch.sort(values, dim=1, descending=True, stable=True).indices[:, :PEAKS]
    one.peaks, one.samples = values.gather(1, order), samples.gather(1, order)


def _first_pass(model: LoadedModel, split: Split) -> dict[Viewpoint, _Sums]:
    sums: dict[Viewpoint, _Sums] = {}
    _run(model, split, lambda names: _First(names, sums))
    return sums


def _second_pass(model: LoadedModel, split: Split, ends: Mapping[Viewpoint, Ends]) -> dict[Viewpoint, _Counts]:
    counts: dict[Viewpoint, _Counts] = {}
    _run(model, split, lambda names: _Second(names, counts, ends))
    return counts


def _run(model: LoadedModel, split: Split, make: Callable[[Mapping[int, str]], LayerOutputs]) -> None:
    with Limited(model.code_seconds, "Looking at the activations") as limited:
        limited(partial(watched, model, split, make))


def _chosen(sums: Mapping[Viewpoint, _Sums]) -> list[Viewpoint]:
    """One place of each layer, in the order of the pass: after a nonlinearity where one reads it."""
    return [place for place in sums if place.is_after or Viewpoint(place.parameter, is_after=True) not in sums]


def _ends(sums: list[_Sums]) -> Ends:
    low, high = min(one.low for one in sums), max(one.high for one in sums)
    if not low < high:
        middle = low if math.isfinite(low) else 0.0
        low, high = middle - 0.5, middle + 0.5
    return low, high


def _spread(sums: _Sums, counts: _Counts) -> ActivationSpread:
    mean = sums.total / sums.finite
    std = (sums.squares / sums.finite - mean.square()).clamp(min=0).sqrt()
    broken = sums.n - sums.finite.long()
    return ActivationSpread(sums.n, counts.bins, counts.zeros, broken, mean, std, counts.peaks, counts.samples)
