"""Everything one drawing of the Weights page shows."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan, Scores


@dataclass(frozen=True)
class View:
    """What one drawing of the page shows: the model under the present setting."""

    model: LoadedModel
    spec: PruneSpec
    scores: Scores
    plan: Plan
