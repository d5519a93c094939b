"""What is counted from weights and masks, without running the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from explorer.errors import ExplorerError
from explorer.lessons.measures.base import Measure, OfSetting, shares_of
from explorer.lessons.readings import Reading
from explorer.metrics.macs import theoretical_speedup
from explorer.metrics.size import compression_ratio
from explorer.params import param
from explorer.pruning.layers import layer_table
from explorer.pruning.level import with_sparsity
from explorer.tasks.context import Context
from explorer.text.numbers import percent_asked
from explorer.types import LoadedModel, Measurement, Plan


def _counted(name: str, value: float, label: str = "", x: float | None = None) -> Reading:
    return Reading(label, Measurement(name, value, "fraction", "counted"), x)


def _weights(model: LoadedModel, layer: str) -> Tensor:
    prunable = {each.name: each for each in layer_table(model).prunable}
    if layer not in prunable:
        raise ExplorerError(f"{model.address} has no layer {layer!r}.", fix=f"Choose one of: {', '.join(prunable)}.")
    return model.weights[prunable[layer].parameter].detach().double().abs().flatten()


@dataclass(frozen=True)
class ShareBelow(Measure):
    """The share of a layer's weights with |w| below each of ``of_largest`` times the largest |w| of the layer."""

    key: ClassVar[str] = "share_below"

    layer: str = param("", "layer")
    of_largest: str = param("0.1", "shares of the largest |w|")

    def readings(self, context: Context) -> Iterator[Reading]:
        """One for each place of the threshold."""
        sizes = _weights(context.model, self.layer)
        for level in shares_of(self.of_largest):
            n_below = int((sizes < level * sizes.max()).sum())
            yield _counted("share_below", n_below / len(sizes), percent_asked(level), level)


@dataclass(frozen=True)
class EnergyBelow(Measure):
    """The part of a layer's sum of squared weights that its smallest weights, the ``share`` of them, carry."""

    key: ClassVar[str] = "energy_below"

    layer: str = param("", "layer")
    share: float = param(0.5, "share of the weights", low=0.0, high=1.0)

    def readings(self, context: Context) -> Iterator[Reading]:
        """One."""
        squares = torch.sort(_weights(context.model, self.layer)).values ** 2
        n_lowest = round(self.share * len(squares))
        yield _counted("energy_below", float(squares[:n_lowest].sum() / squares.sum()))


@dataclass(frozen=True)
class LayerShares(OfSetting):
    """The share of its weights that each layer loses."""

    key: ClassVar[str] = "layer_shares"

    def readings(self, context: Context) -> Iterator[Reading]:
        """One for each layer that can be pruned."""
        plan = self.plan(context)
        for layer in plan.layers.prunable:
            yield _counted("removed", plan.n_pruned_in(layer) / layer.n_weights, layer.name)


@dataclass(frozen=True)
class Left(OfSetting):
    """What is left of the network: of its multiplications, of its parameters, or of the units that can go."""

    key: ClassVar[str] = "left"

    of: str = param("multiplications", "what is counted", choices=("multiplications", "parameters", "units"))
    levels: str = param("", "sparsities")

    def readings(self, context: Context) -> Iterator[Reading]:
        """One, or one for each level."""
        if not self.levels:
            yield _counted(self.of, self._share(context, self.plan(context)))
        for level in shares_of(self.levels):
            plan = self.plan(context, with_sparsity(self.spec, level))
            yield _counted(self.of, self._share(context, plan), percent_asked(level), level)

    def _share(self, context: Context, plan: Plan) -> float:
        if self.of == "units":
            n_pruned, n_all = plan.units
            return 1 - n_pruned / max(1, n_all)
        if self.of == "parameters":
            return 1 / compression_ratio(context.model, plan).value
        speedup = theoretical_speedup(context.model, plan, context.macs)
        if speedup is None:
            raise ExplorerError(f"The multiplications of {context.model.address} cannot be counted.")
        return 1 / speedup.value


@dataclass(frozen=True)
class Compression(OfSetting):
    """All parameters divided by those that are left."""

    key: ClassVar[str] = "compression"

    def readings(self, context: Context) -> Iterator[Reading]:
        """One."""
        yield Reading("", compression_ratio(context.model, self.plan(context)))
