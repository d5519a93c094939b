"""Advice before pruning: a dozen first steps, measured, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from explorer.analysis.advice import MAX_DROP, Advice, advice_of, first_steps
from explorer.analysis.tradeoff import measure
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, part
from explorer.text.names import model_name
from explorer.text.numbers import level, times
from explorer.types import TradeOffPoint


@dataclass(frozen=True)
class AdviceRequest(TaskRequest[TradeOffPoint | Advice]):
    """Measure the first steps on the tune split; the last result is the :class:`Advice` for ``max_drop``."""

    kind: ClassVar[str] = "advise"
    unit: ClassVar[str] = "steps"

    max_drop: float = part(number(0.0), MAX_DROP)

    def title(self, context: Context) -> str:
        """ "advice on digits-cnn"."""
        return f"advice on {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """The steps, and the advice."""
        return len(first_steps(context.model)) + 1

    def run(self, context: Context) -> Iterator[TradeOffPoint | Advice]:
        """The steps one after another, then the advice."""
        points = []
        specs, recorded = first_steps(context.model), partial(context.recorded, split="tune")
        for point in measure(context.model, specs, context.dataset, evaluator=context.evaluator, recorded=recorded):
            points.append(point)
            yield point
        dense = context.evaluator.dense()
        yield advice_of(context.model, context.dataset, dense, points, max_drop=self.max_drop)

    def describe(self, result: TradeOffPoint | Advice) -> str:
        """ "4×: 97.2%"."""
        if isinstance(result, Advice):
            return ""
        return f"{times(result.compression_ratio)}: {level(result.accuracy)}"

    def point(self, result: TradeOffPoint | Advice) -> TradeOffPoint | None:
        """Each step."""
        return None if isinstance(result, Advice) else result
