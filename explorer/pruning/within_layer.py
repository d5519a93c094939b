"""Units that lie within one layer's weights: single weights, groups, blocks, kernels, input channels."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from explorer.types import Knob, LayerInfo, LayerTable, LoadedModel

LOOKED_UP = ("Embedding", "EmbeddingBag")


def layer_knobs(layers: LayerTable, unit: str, count: Callable[[LayerInfo], int | str]) -> tuple[Knob, ...]:
    """One knob for each prunable layer; ``count`` answers how many units it has, or why it has none."""
    return tuple(_knob(layer, unit, count(layer)) for layer in layers.prunable)


def _knob(layer: LayerInfo, unit: str, found: int | str) -> Knob:
    fits = isinstance(found, int)
    return Knob(
        name=layer.name,
        layers=(layer.name,),
        n_units=found if isinstance(found, int) else 0,
        unit=unit,
        n_weights=layer.n_weights,
        block=layer.block,
        kind=layer.kind,
        why_not=None if fits else str(found),
    )


def parameter_of(model: LoadedModel, knob: Knob) -> str:
    """The parameter behind a knob of one layer."""
    named = f"{knob.layers[0]}.weight"
    return named if named in model.weights else knob.layers[0]


def weight_of(model: LoadedModel, knob: Knob) -> Tensor:
    """The weights behind a knob of one layer."""
    return model.weights[parameter_of(model, knob)].detach()


def groups_of_conv(model: LoadedModel, parameter: str) -> int:
    """How many groups the convolution that owns ``parameter`` has; 1 for every other layer."""
    if model.module is None:
        return 1
    return int(getattr(model.module.get_submodule(parameter.rpartition(".")[0]), "groups", 1))


def scored_parameters(model: LoadedModel, knob: Knob) -> tuple[str, ...]:
    """The parameters whose weights decide how important a knob's units are."""
    if knob.parts:
        return tuple(dict.fromkeys(part.parameter for part in knob.parts if part.role == "scored"))
    return (parameter_of(model, knob),)
