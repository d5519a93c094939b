"""A search under a budget: a scan first, then the plans that it lets expect the most of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

from explorer.analysis.search.question import COSTS, CostName
from explorer.analysis.search.result import Tried
from explorer.analysis.search.search import EVALUATIONS, Question, check_evaluations, refusal, search
from explorer.analysis.sensitivity.cell import LEVELS, MODES, Cell, Mode
from explorer.errors import ExplorerError
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, one_of, optional, part, spec, text, whole
from explorer.tasks.scan import ScanRequest, levels
from explorer.text.delta import delta_text
from explorer.text.names import model_name
from explorer.text.numbers import percent
from explorer.types import TradeOffPoint


def cost(value: object) -> CostName:
    """What is to be small."""
    return cast(CostName, one_of(COSTS)(value))


def question(value: object) -> Question:
    """A question, its JSON, or a budget as ``"macs=0.5"``."""
    if not isinstance(value, Question | Mapping | str):
        raise ExplorerError(f"{value!r} is no question.", fix="Give a Question, or a budget such as macs=0.5.")
    if isinstance(value, Mapping) and "cost" in value:
        limit, max_drop = (optional(number())(value.get(name)) for name in ("limit", "max_drop"))
        judged, unit = (text(value.get(name, getattr(Question, name))) for name in ("judged", "unit"))
        return Question(cost(value["cost"]), limit, max_drop, value.get("absolute") is True, judged, unit)
    return Question.of(budget=value)


@dataclass(frozen=True)
class SearchRequest(TaskRequest[Cell | Tried]):
    """Find the best plan for ``question``: a scan in ``mode`` at ``levels``, then ``evaluations`` plans measured.

    Of ``spec`` the unit, the criterion and the limits count.
    """

    kind: ClassVar[str] = "search"
    unit: ClassVar[str] = "cells and plans"

    question: Question = part(question)
    spec: PruneSpec = part(spec, PruneSpec())
    evaluations: int = part(whole(1), EVALUATIONS)
    mode: Mode = part(one_of(MODES), "exact")
    levels: tuple[float, ...] = part(levels, LEVELS)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "spec", replace(self.spec, allocation=PruneSpec().allocation))

    @property
    def scan(self) -> ScanRequest:
        """The scan that comes first."""
        return ScanRequest(self.spec, self.levels, mode=self.mode)

    def title(self, context: Context) -> str:
        """ "search in digits-cnn for the best accuracy with at most 40 % of the dense parameters"."""
        return f"search in {model_name(context.model.address)} for {self.question}"

    def size(self, context: Context) -> int:
        """How many cells and plans come at most. Raises ExplorerError for what cannot be asked of this model."""
        check_evaluations(self.evaluations)
        if (why := refusal(context.model, self.spec, self.question)) is not None:
            raise ExplorerError(f"One cannot ask for {self.question} here.", why=why, fix="Ask for another cost.")
        return self.scan.size(context) + self.n_plans

    @property
    def n_plans(self) -> int:
        """How many plans are measured at most; within a drop the dense model comes before those that are tried."""
        return self.evaluations + (self.question.max_drop is not None)

    def run(self, context: Context) -> Iterator[Cell | Tried]:
        """The cells of the scan, then every plan as it is measured."""
        self.size(context)
        cells: list[Cell] = []
        for cell in self.scan.run(context):
            cells.append(cell)
            yield cell
        yield from search(
            context.model,
            context.dataset,
            self.spec,
            budget=self.question,
            cells=cells,
            evaluations=self.evaluations,
            evaluator=context.evaluator,
        )

    def describe(self, result: Cell | Tried) -> str:
        """ "scanning conv1 at 50%: 97.2%", "trying a plan: 38.2% of dense, Δ accuracy −0.4 pt"."""
        if isinstance(result, Cell):
            return f"scanning {self.scan.describe(result)}"
        return f"trying a plan: {percent(result.share)} of dense, {result.delta_name} {delta_text(result.drop)}"

    def point(self, result: Cell | Tried) -> TradeOffPoint | None:
        """Each plan."""
        return result.point if isinstance(result, Tried) else None
