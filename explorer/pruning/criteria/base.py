"""What every criterion offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Criterion(Protocol):
    """How important is a unit?"""

    key: ClassVar[str]
    label: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    on_weight_scale: ClassVar[bool]

    def score(self, groups: Tensor, *, name: str) -> Tensor:
        """(n_units, group_size) -> (n_units,); finite; higher means more important.

        ``name`` is the knob's, so that a random criterion is independent of layer order.
        """
        ...
