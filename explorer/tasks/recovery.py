"""Recovery by a recipe: prune, train what is left, and measure what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from explorer.analysis import tradeoff
from explorer.errors import ExplorerError
from explorer.metrics.macs import mac_table, why_no_macs
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.checkpoints import make_room
from explorer.recovery.quantized_size import smallest
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered, RecoveryProgress, measured
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import one_of, part, text
from explorer.text.names import model_name
from explorer.text.numbers import level
from explorer.types import Evaluation, LoadedModel, Plan, SplitName, TradeOffPoint


def recipe(value: object) -> Recipe:
    """A recipe, or its JSON; what a file names in it is not opened."""
    if isinstance(value, Recipe):
        return value
    if not isinstance(value, str | Mapping):
        raise ExplorerError(f"{value!r} is no recipe.", fix="Give a Recipe, or its JSON.")
    return Recipe.foreign(value)


@dataclass(frozen=True, eq=False)
class RecoveryOutcome:
    """What a recovery came to: the network with its history, and how it was measured on the split asked for."""

    recovered: Recovered
    evaluation: Evaluation
    point: TradeOffPoint

    @property
    def plan(self) -> Plan:
        """Its masks; of a network that nothing was pruned of, the plan that cuts nothing."""
        return plan_of(self.recovered)

    @property
    def is_dense(self) -> bool:
        """Whether it is a narrower network, trained from scratch, and not the model itself."""
        return bool(self.recovered.protocol["recipe"]["steps"][0]["key"] == "narrow")

    @property
    def bits(self) -> int | None:
        """To how many bits its weights are rounded; None where they are not, or training has moved them since."""
        return bits_of(self.recovered)


@dataclass(frozen=True)
class RecoveryRequest(TaskRequest[RecoveryProgress | RecoveryOutcome]):
    """Do what ``recipe`` says, trained on fit and the best epoch chosen on tune, and measure it on ``split``.

    ``label`` is what people call this run; it makes no other work of it.
    """

    kind: ClassVar[str] = "recover"
    unit: ClassVar[str] = "steps and epochs"

    recipe: Recipe = part(recipe)
    split: SplitName = part(one_of(("tune", "test")), "tune")
    label: str = part(text, "", in_key=False)

    @property
    def name(self) -> str:
        """What this run is called among others."""
        return self.label or self.recipe.summary

    def title(self, context: Context) -> str:
        """ "recovery of digits-cnn: one shot, 80 %, 20 epochs"."""
        return f"recovery of {model_name(context.model.address)}: {self.name}"

    def size(self, context: Context) -> int:
        """Every epoch, every step, and the end."""
        return self.recipe.n_stages

    def run(self, context: Context) -> Iterator[RecoveryProgress | RecoveryOutcome]:
        """What happens epoch by epoch, and last the outcome. Goes on after the last epoch that is on disk."""
        for progress in self._progress(context):
            if progress.recovered is None:
                yield progress
                continue
            yield _outcome(progress.recovered, context, self.split)
            if context.is_cache and context.checkpoints is not None:
                with contextlib.suppress(OSError):
                    make_room(Path(context.checkpoints))

    def describe(self, result: RecoveryProgress | RecoveryOutcome) -> str:
        """ "step 2 of 3, finetune, epoch 4 of 20: 97.2% on tune"."""
        if isinstance(result, RecoveryOutcome):
            return ""
        where = f"step {min(result.index + 1, result.n_steps)} of {result.n_steps}, {result.key}"
        epoch = f", epoch {result.epoch} of {result.n_epochs}" if result.n_epochs else ""
        accuracy = f": {level(result.accuracy)} on tune" if result.accuracy is not None else ""
        return f"{where}{epoch}{accuracy}"

    def point(self, result: RecoveryProgress | RecoveryOutcome) -> TradeOffPoint | None:
        """The outcome, with all that it depends on."""
        return result.point if isinstance(result, RecoveryOutcome) else None

    def evaluated_on(self) -> SplitName:
        """The split that was asked for."""
        return self.split

    def _progress(self, context: Context) -> Iterator[RecoveryProgress]:
        evaluator = context.evaluator if "tune" in context.dataset.splits else None

        def begin(checkpoints: Path | str | None) -> Iterator[RecoveryProgress]:
            return recover(
                context.model,
                self.recipe,
                context.dataset,
                evaluator=evaluator,
                checkpoints=checkpoints,
                device=context.device,
            )

        try:
            return begin(context.checkpoints)
        except ExplorerError:
            if not context.is_cache:
                raise
            # Without a folder it still runs; what is refused for another reason is refused again.
            return begin(None)


def _outcome(recovered: Recovered, context: Context, name: SplitName) -> RecoveryOutcome:
    split = context.look(name)
    evaluator = context.evaluator if name == "tune" else context.evaluator_of(split)
    evaluation = measured(recovered.state, split, evaluator)
    return RecoveryOutcome(recovered, evaluation, point_of(recovered, evaluation, context.model))


def plan_of(recovered: Recovered) -> Plan:
    """Its masks; of a network that nothing was pruned of, the plan that cuts nothing."""
    return make_plan(recovered.model, PruneSpec()) if recovered.plan is None else recovered.plan


def bits_of(recovered: Recovered) -> int | None:
    """To how many bits its weights are rounded; None where they are not, or training has moved them since."""
    last = recovered.protocol["recipe"]["steps"][-1]
    return last["bits"] if last["key"] == "quantize" else None


def point_of(recovered: Recovered, evaluation: Evaluation, model: LoadedModel) -> TradeOffPoint:
    """The outcome as a point of the trade-off, with its whole protocol."""
    if recovered.protocol["recipe"]["steps"][0]["key"] == "narrow":
        return _narrow_point(recovered, evaluation, model)
    return _point(recovered, evaluation, model)


def _point(recovered: Recovered, evaluation: Evaluation, model: LoadedModel) -> TradeOffPoint:
    plan, bits = plan_of(recovered), bits_of(recovered)
    table = None if why_no_macs(model) else mac_table(model)
    spec = PruneSpec.from_json(plan.spec)
    point = tradeoff.point(recovered.model, spec, plan, evaluation, table, protocol=recovered.protocol)
    if bits is None:
        return point
    return replace(point, size_bytes=int(smallest(recovered.model, plan, bits).value))


def _narrow_point(recovered: Recovered, evaluation: Evaluation, model: LoadedModel) -> TradeOffPoint:
    """A network of its own, of which nothing is pruned: size and speed are against those of ``model``."""
    n_left, n_epochs, bits = recovered.model.n_parameters, recovered.state.epochs, bits_of(recovered)
    rounded = "" if bits is None else f", {bits} bits"
    return replace(
        _point(recovered, evaluation, recovered.model),
        label=f"dense network of {n_left:,} parameters, from scratch, {n_epochs} epochs{rounded}",
        compression_ratio=model.n_parameters / n_left,
        theoretical_speedup=mac_table(model).dense / mac_table(recovered.model).dense,
    )
