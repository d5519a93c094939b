"""Everything one drawing of the Explore page shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from explorer.analysis import tradeoff
from explorer.types import Dataset, Evaluation, LoadedModel, Plan, Scores, TradeOffPoint
from explorer.ui.explore.planned import Planned
from explorer.ui.shell import cache, live
from explorer.workbench.workspace import Workspace


@dataclass(eq=False)
class View:
    """Everything one drawing of the page shows."""

    work: Workspace
    model: LoadedModel
    dataset: Dataset | None
    scores: Scores
    planned: Planned
    answer: live.Answer
    why_not: str | None

    @property
    def plan(self) -> Plan:
        """What goes and what stays now."""
        return self.planned.plan

    @property
    def evaluation(self) -> Evaluation | None:
        """What was measured of this very plan; None while there is only an older one."""
        return None if self.answer.stale else self.answer.evaluation

    @cached_property
    def point(self) -> TradeOffPoint | None:
        """The present setting as a point of the chart, as far as it is measured."""
        if self.evaluation is None:
            return None
        table = cache.macs(self.model)
        return tradeoff.point(self.model, self.work.spec, self.plan, self.evaluation, table)
