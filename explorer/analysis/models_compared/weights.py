"""Which weights two models have in common: the sets that are not zero, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.pruning.layers import layer_table
from explorer.types import LoadedModel


@dataclass(frozen=True)
class WeightSets:
    """Of one layer's ``n`` weights those that are not zero in ``both`` models, in the first alone, in the other alone,
    and in neither. All zero where ``why_not`` says why they are not weight by weight the same."""

    layer: str
    n: int
    both: int = 0
    only_first: int = 0
    only_other: int = 0
    neither: int = 0
    why_not: str = ""


def weight_sets(first: LoadedModel, other: LoadedModel) -> tuple[WeightSets, ...]:
    """A set for each prunable layer of the first model, in its order."""
    return tuple(_sets(layer.name, layer.parameter, first, other) for layer in layer_table(first).prunable)


def _sets(layer: str, parameter: str, first: LoadedModel, other: LoadedModel) -> WeightSets:
    one, two = first.weights[parameter], other.weights.get(parameter)
    if two is None:
        return WeightSets(layer, one.numel(), why_not="The other model has no such layer.")
    if one.shape != two.shape:
        shapes = f"{tuple(one.shape)} and {tuple(two.shape)}"
        return WeightSets(layer, one.numel(), why_not=f"The shapes differ: {shapes}.")
    here, there = one != 0, (two != 0).to(one.device)
    both, n = int((here & there).sum()), one.numel()
    only_first, only_other = int(here.sum()) - both, int(there.sum()) - both
    return WeightSets(layer, n, both, only_first, only_other, n - both - only_first - only_other)
