"""Physical removal: the smaller network, its proof, and how long it takes beside the dense one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.costs import RunningCosts, refined_costs
from explorer.export.onnx_model import onnx_file
from explorer.export.slim import Proven, proven
from explorer.metrics.latency import Latency, refined
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import part, spec, whole
from explorer.text.names import model_name

PAIRS = 30


@dataclass(frozen=True)
class RemovalRequest(TaskRequest[Proven | RunningCosts | Latency]):
    """Cut out what ``spec`` prunes, prove that it computes the same, and time ``pairs`` passes of ``batch`` inputs."""

    kind: ClassVar[str] = "removal"
    unit: ClassVar[str] = "steps"

    spec: PruneSpec = part(spec, PruneSpec())
    batch: int = part(whole(1), 1)
    pairs: int = part(whole(1), PAIRS)

    def title(self, context: Context) -> str:
        """ "removal from digits-cnn"."""
        return f"removal from {model_name(context.model.address)}"

    def size(self, context: Context) -> int:
        """The proof, and the times."""
        return 2

    def run(self, context: Context) -> Iterator[Proven | RunningCosts | Latency]:
        """The proof; where it holds, costs in torch and times in ONNX Runtime, refined as pairs come in."""
        model = context.model
        plan = make_plan(model, self.spec, context.scores(self.spec), context.dataset)
        removed = proven(model, plan, context.look("tune"))
        yield removed
        if removed.proof.ok:
            yield from refined_costs(model, plan, batch=self.batch, pairs=self.pairs)
        if removed.proof.ok and removed.proof.onnx and model.example is not None:
            whole_file = onnx_file(model, make_plan(model, PruneSpec()))
            options = {"batch": self.batch, "pairs": self.pairs}
            yield from refined(whole_file, removed.proof.onnx, model.example, runtime="onnx", **options)

    def describe(self, result: Proven | RunningCosts | Latency) -> str:
        """What is being done next."""
        return "timing dense and pruned side by side" if isinstance(result, Proven) else "timing"
