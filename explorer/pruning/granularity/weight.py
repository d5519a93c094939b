from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.types import Knob, LayerTable, LoadedModel


@dataclass(frozen=True)
class Weight:
    """Single weights (unstructured): the finest unit. Zeros appear, shapes stay.

    Source: Han et al. 2015, arXiv:1506.02626.
    """

    key: ClassVar[str] = "weight"
    label: ClassVar[str] = "Weights"
    unit: ClassVar[str] = "weight"

    def knobs(self, model: LoadedModel, layers: LayerTable) -> tuple[Knob, ...]:
        return tuple(
            Knob(
                name=layer.name,
                layers=(layer.name,),
                n_units=layer.n_weights,
                unit=self.unit,
                n_weights=layer.n_weights,
                block=layer.block,
                kind=layer.kind,
            )
            for layer in layers.prunable
        )

    def groups(self, model: LoadedModel, knob: Knob) -> Tensor:
        return _tensor(model, knob).detach().reshape(-1, 1)

    def spread(self, model: LoadedModel, knob: Knob, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        tensor = _tensor(model, knob)
        name = f"{knob.name}.weight" if f"{knob.name}.weight" in model.weights else knob.name
        return {name: keep.reshape(tensor.shape)}


def _tensor(model: LoadedModel, knob: Knob) -> Tensor:
    named = model.weights.get(f"{knob.name}.weight")
    return model.weights[knob.name] if named is None else named
