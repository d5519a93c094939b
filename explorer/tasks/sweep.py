"""A trade-off curve: one method measured at rising compression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from explorer.analysis.tradeoff import RATIOS, label_of, sweep
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, one_of, optional, part, several, spec, text
from explorer.text.names import model_name
from explorer.text.numbers import level, times
from explorer.types import SplitName, TradeOffPoint


@dataclass(frozen=True)
class SweepRequest(TaskRequest[TradeOffPoint]):
    """Measure ``spec``, its level apart, at each of ``ratios`` (of the whole model, from 1 on), or ``sparsities``.

    ``label`` is what people call this curve; it makes no other work of it.
    """

    kind: ClassVar[str] = "sweep"

    spec: PruneSpec = part(spec, PruneSpec())
    ratios: tuple[float, ...] = part(several(number(1.0)), RATIOS)
    sparsities: tuple[float, ...] | None = part(optional(several(number(0.0, 1.0))), None)
    split: SplitName = part(one_of(("fit", "tune", "test")), "tune")
    label: str = part(text, "", in_key=False)

    def title(self, context: Context) -> str:
        """ "curve of digits-cnn: magnitude, global"."""
        return f"curve of {model_name(context.model.address)}: {self.label or label_of(self.spec)}"

    def size(self, context: Context) -> int:
        """How many points it has at most: ratios that end at the same sparsity are one."""
        return len(self.ratios if self.sparsities is None else self.sparsities)

    def run(self, context: Context) -> Iterator[TradeOffPoint]:
        """The points, by rising compression."""
        split = context.look(self.split)
        # Where a criterion looks at data, it is looked at once for all curves.
        yield from sweep(
            context.model,
            self.spec,
            context.dataset,
            ratios=self.ratios,
            sparsities=self.sparsities,
            split=self.split,
            evaluator=context.evaluator if self.split == "tune" else context.evaluator_of(split),
            scores=context.scores(self.spec) if self.spec.criterion.needs else None,
            backend=context.backend,
            recorded=partial(context.recorded, split=self.split) if self.split != "test" else None,
        )

    def describe(self, result: TradeOffPoint) -> str:
        """ "4×: 97.2%"."""
        return f"{times(result.compression_ratio)}: {level(result.accuracy)}"

    def point(self, result: TradeOffPoint) -> TradeOffPoint:
        """Each of them."""
        return result

    def evaluated_on(self) -> SplitName:
        """The split that was asked for."""
        return self.split
