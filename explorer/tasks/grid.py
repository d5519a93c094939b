"""Pruning and quantization together: every share in every number format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.errors import ExplorerError
from explorer.export.onnx_int8 import Int8Runtime
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import (
    FORMS,
    RECOVERIES,
    SHARES,
    Form,
    GridChoices,
    GridPoint,
    RecoveryKind,
    Working,
    grid,
    n_points,
)
from explorer.recovery.quantization import check_bits
from explorer.recovery.steps import STEPS, Finetune
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, one_of, part, several, spec, whole
from explorer.text.names import model_name
from explorer.text.numbers import percent
from explorer.types import TradeOffPoint


def finetuning(value: object) -> Finetune:
    """A fine-tuning step, its JSON, or text as ``"finetune:epochs=5"``."""
    step = STEPS.get(value) if isinstance(value, str | Finetune) else STEPS.from_json(value)
    if not isinstance(step, Finetune):
        raise ExplorerError(f"{step.key} is no fine-tuning.", fix="Give a finetune step.")
    return step


def bits(value: object) -> int:
    """How many bits a simulated weight has."""
    count = whole(0)(value)
    check_bits(count)
    return count


@dataclass(frozen=True)
class GridRequest(TaskRequest[GridPoint | Working]):
    """Prune to each of ``shares``, recover in each of ``recoveries``, and measure in each of ``forms``.

    ``spec`` gives everything but the share. ``bits`` are those of simulated integers; ``training`` is what
    "finetune" and "distil" do. The forms "dynamic" and "static" are made by ONNX Runtime.
    """

    kind: ClassVar[str] = "quantize"

    spec: PruneSpec = part(spec, PruneSpec())
    shares: tuple[float, ...] = part(several(number(0.0, 1.0)), SHARES)
    forms: tuple[Form, ...] = part(several(one_of(FORMS)), ("float32", "int8"))
    bits: int = part(bits, 8)
    recoveries: tuple[RecoveryKind, ...] = part(several(one_of(RECOVERIES)), ("none",))
    training: Finetune = part(finetuning, Finetune(epochs=10))

    def title(self, context: Context) -> str:
        """ "pruning and quantization of digits-cnn"."""
        return f"pruning and quantization of {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """How many points it has."""
        return n_points(self.shares, self.forms, self.recoveries)

    def run(self, context: Context) -> Iterator[GridPoint | Working]:
        """The points, and a sign of life while one is trained for."""
        evaluator = context.plain_evaluator
        yield from grid(
            context.model,
            self.spec,
            context.dataset,
            GridChoices(self.shares, self.forms, self.bits, self.recoveries, self.training),
            runtime=Int8Runtime(context.dataset, evaluator),
            evaluator=evaluator,
        )

    def describe(self, result: GridPoint | Working) -> str:
        """ "80% in int8", "training: epoch 2 of 5"."""
        return result.what if isinstance(result, Working) else f"{percent(result.asked, 0)} in {result.number_format}"

    def point(self, result: GridPoint | Working) -> TradeOffPoint | None:
        """Each point that exists."""
        return result.point if isinstance(result, GridPoint) else None
