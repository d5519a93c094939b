"""What every criterion offers. Kept apart from the registry so that members can import it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from explorer.errors import ExplorerError, Refusal
from explorer.pruning.coupling.branches import BLOCKS
from explorer.pruning.evidence.base import Evidence
from explorer.pruning.granularity.base import Granularity
from explorer.types import LoadedModel, PruningGroup


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one group, as a criterion sees them.

    ``weights``: (n_units, unit_size), the scored weights. ``name`` is the group's, so that a
    random criterion is independent of layer order. The rest is there for criteria that look
    beyond the weights: the model (never written to), and what a pass over data saw.
    """

    weights: Tensor
    name: str = ""
    group: PruningGroup | None = None
    granularity: Granularity | None = None
    model: LoadedModel | None = None
    evidence: Evidence | None = None

    def arranged(self, field: Mapping[str, Tensor]) -> Tensor:
        """(n_units, unit_size): tensors in the shapes of the parameters, arranged like ``weights``."""
        model, group, granularity = self.of
        return granularity.unit_weights(replace(model, weights=field), group)

    def totals(self, values: Tensor) -> Tensor:
        """(n_units, unit_size), arranged like ``weights`` -> (n_units,) sums, each weight of a unit once.

        Blocks repeat their weights up to the length of the longest: there only the first of each counts.
        """
        if self.group is not None and self.group.unit in BLOCKS:
            model, group, _ = self.of
            sizes = torch.zeros(group.n_units, dtype=torch.int64)
            for part in (part for part in group.parts if part.role == "scored"):
                sizes[part.units[0]] += model.weights[part.parameter].numel()
            places = torch.arange(values.shape[1]) * sizes.unsqueeze(1) // values.shape[1]
            repeated = places == places.roll(1, dims=1)
            values = values.masked_fill(repeated & (torch.arange(values.shape[1]) > 0), 0)
        return values.sum(dim=1, dtype=torch.float64).to(values.dtype)

    def curved(self, kind: str) -> Tensor:
        """(n_units,) sum over the unit of 1/2 h w^2, where the evidence ``kind`` is h: what the loss gains."""
        return self.totals(self.arranged(self.seen.field(kind)) * self.weights.square()) / 2

    @property
    def of(self) -> tuple[LoadedModel, PruningGroup, Granularity]:
        """The model, the group and the granularity that these units come from."""
        if self.model is None or self.group is None or self.granularity is None:
            raise ExplorerError("This criterion needs the model.", fix="Score with explorer.score(model, spec, data).")
        return self.model, self.group, self.granularity

    @property
    def seen(self) -> Evidence:
        """What a pass over data saw."""
        if self.evidence is None:
            raise ExplorerError("This criterion looks at data.", fix="Score with explorer.score(model, spec, data).")
        return self.evidence


@dataclass(frozen=True, eq=False)
class Choice:
    """What a choice of weights is made from: the model, the granularity, and what a pass over data saw."""

    model: LoadedModel
    granularity: Granularity
    evidence: Evidence | None


@runtime_checkable
class Criterion(Protocol):
    """How important is a unit?

    ``needs`` names the kinds of evidence (``pruning/evidence``) it looks at; empty: the weights
    alone. A criterion that needs any has a field ``n_samples``. ``on_weight_scale``: scores are
    magnitudes of weights, so that thresholds in standard deviations refer to the weights. ``variants``:
    values of its parameters that are worth comparing with the defaults, as "p=1".
    """

    key: ClassVar[str]
    label: ClassVar[str]
    needs: ClassVar[frozenset[str]] = frozenset()
    on_weight_scale: ClassVar[bool] = False
    variants: ClassVar[tuple[str, ...]] = ()

    def why_not(self, units: Units) -> Refusal | None:
        """Why units of this kind cannot be ranked by it, in a sentence; None where they can."""
        return None

    def score(self, units: Units) -> Tensor:
        """(n_units,) finite; higher means more important."""
        ...

    def chosen(self, masks: dict[str, Tensor], of: Choice) -> dict[str, Tensor]:
        """Masks with as many zeros in each layer, where the choice depends on more than a score a unit."""
        return masks

    def updates(self, model: LoadedModel, masks: Mapping[str, Tensor], evidence: Evidence | None) -> dict[str, Tensor]:
        """New values for kept weights that make up for what went, by parameter; most criteria change nothing."""
        return {}
