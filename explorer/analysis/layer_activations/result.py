"""The outputs of every layer over some samples, counted channel by channel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from explorer.text.names import model_name
from explorer.text.numbers import number, percent
from explorer.types.aliases import JsonDict

BINS = 60


@dataclass(frozen=True, eq=False)
class ActivationSpread:
    """The values of one layer, a row a channel; ``n`` of each channel were looked at.

    ``counts`` (channels, bins): values that are finite and not zero, in bins of equal width. ``zeros`` are those that
    are exactly zero. ``mean`` and ``std`` (dividing by n) are over all finite values, zeros among them; NaN where there
    are none. ``peaks`` (channels, k): the largest value in each of the k samples where it is largest, and ``samples``
    their places in the split, the strongest first; no columns where outputs cannot be told apart by sample.
    """

    n: int
    counts: Tensor
    zeros: Tensor
    not_finite: Tensor
    mean: Tensor
    std: Tensor
    peaks: Tensor
    samples: Tensor

    @property
    def n_channels(self) -> int:
        """How many channels the layer has."""
        return len(self.zeros)

    @property
    def zero_share(self) -> float:
        """The share of all values that are exactly zero, from 0 to 1."""
        return float(self.zeros.sum()) / max(1, self.n * self.n_channels)

    @property
    def zero_shares(self) -> Tensor:
        """The same of each channel, (channels,)."""
        return self.zeros.double() / max(1, self.n)

    @property
    def overall(self) -> tuple[float, float]:
        """Mean and standard deviation of all finite values; NaN where there are none."""
        share = (self.n - self.not_finite).double() / max(1.0, float((self.n - self.not_finite).sum()))
        mean = float((share * self.mean).nansum()) if bool(share.any()) else math.nan
        squares = float((share * (self.std.square() + self.mean.square())).nansum())
        return mean, math.sqrt(max(0.0, squares - mean**2)) if math.isfinite(mean) else math.nan

    @property
    def n_silent(self) -> int:
        """How many channels were zero for every sample at every place."""
        return int((self.zeros == self.n).sum())


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """One layer: its values in the dense network, and under the setting (None where that prunes nothing).

    ``after`` names the nonlinearity whose outputs these are ("relu"); empty: the layer's own outputs, because none
    reads them. ``low`` and ``high`` are the ends of the bins, common to both.
    """

    layer: str
    parameter: str
    after: str
    low: float
    high: float
    dense: ActivationSpread
    pruned: ActivationSpread | None = None

    @property
    def edges(self) -> list[float]:
        """The edges of the bins."""
        return torch.linspace(self.low, self.high, BINS + 1, dtype=torch.float64).tolist()

    @property
    def sides(self) -> tuple[tuple[str, ActivationSpread], ...]:
        """ "dense", and "pruned" where there is one."""
        return (("dense", self.dense),) + ((("pruned", self.pruned),) if self.pruned is not None else ())

    def channels(self) -> list[JsonDict]:
        """A row a channel, for files: what was counted of it in both networks."""
        rows = []
        for channel in range(self.dense.n_channels):
            row: JsonDict = {"layer": self.layer, "after": self.after, "channel": channel, "values": self.dense.n}
            for side, spread in self.sides:
                row |= {f"{side}_{key}": value for key, value in _of_channel(spread, channel).items()}
            rows.append(row)
        return rows


def finite(value: float) -> float | None:
    """The number, or None for what is none."""
    return value if math.isfinite(value) else None


def _of_channel(spread: ActivationSpread, channel: int) -> JsonDict:
    return {
        "zeros": int(spread.zeros[channel]),
        "zero_share": float(spread.zero_shares[channel]),
        "mean": finite(float(spread.mean[channel])),
        "std": finite(float(spread.std[channel])),
        "not_finite": int(spread.not_finite[channel]),
    }


@dataclass(frozen=True, eq=False)
class ActivationStatistics:
    """The layers in the order in which they first run; ``n`` samples of ``split`` went through, the first ones.

    ``sparsity`` is the share of prunable weights that the setting removes.
    """

    address: str
    layers: tuple[LayerActivations, ...]
    split: str
    n: int
    sparsity: float = 0.0

    def __iter__(self) -> Iterator[LayerActivations]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, name: str) -> LayerActivations:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, LayerActivations]:
        return {each.layer: each for each in self.layers}

    def get(self, name: str) -> LayerActivations | None:
        """The layer of that name; None where none of its outputs was seen."""
        return self._by_name.get(name)

    def __str__(self) -> str:
        head = f"{model_name(self.address)}: activations of {self.n:,} samples, split {self.split}"
        lines = [f"  {each.layer}: {', '.join(_in_words(each))}" for each in self.layers]
        return "\n".join([head, *lines])

    def to_json(self) -> JsonDict:
        """All of it but the counts in bins and the samples of single channels, JSON-able."""
        layers = [
            {
                "layer": each.layer,
                "after": each.after,
                "low": each.low,
                "high": each.high,
                **{side: _totals(spread) for side, spread in each.sides},
            }
            for each in self.layers
        ]
        about = {"address": self.address, "split": self.split, "n": self.n, "origin": "measured"}
        return about | {"sparsity": self.sparsity, "layers": layers}


def _in_words(each: LayerActivations) -> list[str]:
    words = [f"after {each.after}" if each.after else "its own outputs"]
    words += [f"{side} {percent(spread.zero_share)} zero" for side, spread in each.sides]
    return [*words, f"{number(each.low)} to {number(each.high)}"]


def _totals(spread: ActivationSpread) -> JsonDict:
    return {
        "values": spread.n * spread.n_channels,
        "zeros": int(spread.zeros.sum()),
        "zero_share": spread.zero_share,
        "channels": spread.n_channels,
        "silent_channels": spread.n_silent,
        "mean": finite(spread.overall[0]),
        "std": finite(spread.overall[1]),
        "not_finite": int(spread.not_finite.sum()),
        "counts": spread.counts.sum(dim=0).tolist(),
    }
