"""Units that lie within one layer's weights: single weights, groups, blocks, kernels, input channels."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from explorer.types import LayerInfo, LayerTable, LoadedModel, PruningGroup

LOOKED_UP = ("Embedding", "EmbeddingBag")


def layer_groups(layers: LayerTable, unit: str, count: Callable[[LayerInfo], int | str]) -> tuple[PruningGroup, ...]:
    """One group for each prunable layer; ``count`` answers how many units it has, or why it has none."""
    return tuple(_group(layer, unit, count(layer)) for layer in layers.prunable)


def _group(layer: LayerInfo, unit: str, key: int | str) -> PruningGroup:
    fits = isinstance(key, int)
    return PruningGroup(
        name=layer.name,
        layers=(layer.name,),
        n_units=key if isinstance(key, int) else 0,
        unit=unit,
        n_weights=layer.n_weights,
        block=layer.block,
        kind=layer.kind,
        why_not=None if fits else str(key),
    )


def parameter_of(model: LoadedModel, group: PruningGroup) -> str:
    """The parameter behind a group of one layer."""
    named = f"{group.layers[0]}.weight"
    return named if named in model.weights else group.layers[0]


def weight_of(model: LoadedModel, group: PruningGroup) -> Tensor:
    """The weights behind a group of one layer."""
    return model.weights[parameter_of(model, group)].detach()


def groups_of_conv(model: LoadedModel, parameter: str) -> int:
    """How many groups the convolution that owns ``parameter`` has; 1 for every other layer."""
    if model.module is None:
        return 1
    return int(getattr(model.module.get_submodule(parameter.rpartition(".")[0]), "groups", 1))


def scored_parameters(model: LoadedModel, group: PruningGroup) -> tuple[str, ...]:
    """The parameters whose weights decide how important a group's units are."""
    if group.parts:
        return tuple(dict.fromkeys(part.parameter for part in group.parts if part.role == "scored"))
    return (parameter_of(model, group),)
