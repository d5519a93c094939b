"""What a search takes beside the model, the data and the setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from explorer.analysis.search.question import Asked
from explorer.analysis.sensitivity.cell import LEVELS, Cell, Keep
from explorer.engine.evaluator import Evaluator
from explorer.metrics.own import Given

EVALUATIONS = 40


@dataclass(frozen=True, eq=False)
class SearchOptions:
    """The options of a search with their defaults; :func:`explorer.search` says what each is."""

    max_drop: float | None = None
    budget: Asked = None
    cost: str = "params"
    evaluations: int = EVALUATIONS
    cells: Iterable[Cell] | None = None
    levels: Sequence[float] = LEVELS
    keep: Keep | None = None
    evaluator: Evaluator | None = None
    metric: Given | None = None
    device: str = "cpu"
    progress: bool | None = None


class SearchKeywords(TypedDict, total=False):
    """The same as keywords of a call, for type checkers."""

    max_drop: float | None
    budget: Asked
    cost: str
    evaluations: int
    cells: Iterable[Cell] | None
    levels: Sequence[float]
    keep: Keep | None
    evaluator: Evaluator | None
    metric: Given | None
    device: str
    progress: bool | None
