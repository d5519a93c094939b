"""Prune first or quantize first: the same network in each order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.pruning.level import with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import Working
from explorer.recovery.order import MeasuredOrder, orders, recipes
from explorer.recovery.steps import Finetune
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.grid import bits, finetuning
from explorer.tasks.parts import number, part, spec
from explorer.text.names import model_name
from explorer.text.numbers import level


@dataclass(frozen=True)
class OrderRequest(TaskRequest[MeasuredOrder | Working]):
    """Prune to ``share`` and round to ``bits`` bits in each order, also with ``training`` in between."""

    kind: ClassVar[str] = "order"
    unit: ClassVar[str] = "orders"

    spec: PruneSpec = part(spec, PruneSpec())
    share: float = part(number(0.0, 1.0), 0.5)
    bits: int = part(bits, 8)
    training: Finetune = part(finetuning, Finetune(epochs=10))

    def title(self, context: Context) -> str:
        """ "orders of quantizing digits-cnn"."""
        return f"orders of quantizing {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """How many orders are compared."""
        return len(recipes(with_sparsity(self.spec, self.share), self.bits, self.training))

    def run(self, context: Context) -> Iterator[MeasuredOrder | Working]:
        """The orders, and a sign of life while one is trained for."""
        yield from orders(
            context.model,
            with_sparsity(self.spec, self.share),
            context.dataset,
            bits=self.bits,
            training=self.training,
            evaluator=context.plain_evaluator,
        )

    def describe(self, result: MeasuredOrder | Working) -> str:
        """ "prune, tune, quantize: epoch 2 of 5"."""
        if isinstance(result, Working):
            return result.what
        return f"{result.words}: {level(result.evaluation.accuracy)}"
