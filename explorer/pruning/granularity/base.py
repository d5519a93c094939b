"""What every granularity offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from explorer.types import LayerTable, LoadedModel, PruningGroup


@runtime_checkable
class Granularity(Protocol):
    """What is one unit?

    ``why_no_removal``: a sentence where units of this kind have no physically smaller form, else "".
    """

    key: ClassVar[str]
    label: ClassVar[str]
    unit: ClassVar[str]
    why_no_removal: ClassVar[str]

    def groups(self, model: LoadedModel, layers: LayerTable) -> tuple[PruningGroup, ...]:
        """One group for each set of units that one threshold controls, in model order."""
        ...

    def unit_weights(self, model: LoadedModel, group: PruningGroup) -> Tensor:
        """(n_units, unit_size): the scored weights of each unit."""
        ...

    def spread(self, model: LoadedModel, group: PruningGroup, keep: Tensor) -> dict[str, dict[int, Tensor] | Tensor]:
        """(n_units,) bool -> what stays, by parameter: a full mask, or {dim: bool vector} for whole slices."""
        ...
