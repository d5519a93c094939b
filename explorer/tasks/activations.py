"""Activation skipping: the share of zero activations against accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.activation_threshold import SHARES, ActivationPoint, skipping
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import number, part, several, spec
from explorer.text.names import model_name
from explorer.text.numbers import level, percent
from explorer.types import Plan


@dataclass(frozen=True)
class ActivationRequest(TaskRequest[ActivationPoint]):
    """Skip each of ``shares`` of every layer's activations, smallest first, in the network pruned as ``spec`` says."""

    kind: ClassVar[str] = "activations"

    spec: PruneSpec = part(spec, PruneSpec())
    shares: tuple[float, ...] = part(several(number(0.0, 1.0)), SHARES)

    def title(self, context: Context) -> str:
        """ "skipped activations of digits-cnn"."""
        return f"skipped activations of {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """How many points it has."""
        return len(self.shares)

    def plan(self, context: Context) -> Plan | None:
        """What is pruned; None where nothing is."""
        if context.model.module is None:
            return None
        plan = make_plan(context.model, self.spec, context.scores(self.spec), context.dataset)
        return plan if plan.n_pruned else None

    def run(self, context: Context) -> Iterator[ActivationPoint]:
        """The points, in the order of the shares."""
        evaluator = None if context.model.module is None else context.plain_evaluator  # skipping says why it cannot
        plan = self.plan(context)
        yield from skipping(context.model, context.dataset, shares=self.shares, plan=plan, evaluator=evaluator)

    def describe(self, result: ActivationPoint) -> str:
        """ "50% skipped: 97.2%"."""
        return f"{percent(result.skipped.value, 0)} zero: {level(result.accuracy)}"
