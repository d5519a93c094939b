"""Several models on the same samples, each against the first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from explorer import models
from explorer.analysis.arguments import given_data, given_model
from explorer.analysis.models_compared.command import command_of
from explorer.analysis.models_compared.making import (
    ComparisonAbout,
    Named,
    Together,
    models_and_comparison,
    refuse_number,
    refuse_other_data,
)
from explorer.analysis.models_compared.naming import name_of, told_apart
from explorer.analysis.models_compared.recorded_run import is_run, model_again, record_at
from explorer.analysis.models_compared.result import ComparedModel, ModelsCompared
from explorer.analysis.requested import left_by
from explorer.errors import ExplorerError
from explorer.metrics.own import Given
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.store.database import Store
from explorer.tasks.base import TaskRequest
from explorer.tasks.context import Context
from explorer.tasks.parts import one_of, optional, part, several, spec, text, whole
from explorer.tasks.running import results
from explorer.types import Dataset, LoadedModel, SplitName

Other = str | PruneSpec


def other(value: object) -> Other:
    """A model's address, or a request that is made of the first model."""
    is_request = isinstance(value, PruneSpec | Mapping) or (isinstance(value, str) and value.lstrip().startswith("{"))
    return spec(value) if is_request else text(value)


@dataclass(frozen=True)
class CompareRequest(TaskRequest[ComparedModel | ModelsCompared]):
    """Compare the model of the context, the first, with ``others``: addresses (with ``arch``, where a file does not
    say that), recorded runs ("run:12"), and requests, each for what it leaves of the first. ``times`` pairs of passes
    are timed; 0: no time.
    """

    kind: ClassVar[str] = "compare"
    unit: ClassVar[str] = "models"

    others: tuple[Other, ...] = part(several(other))
    arch: str | None = part(optional(text), None)
    split: SplitName = part(one_of(("tune", "test")), "tune")
    times: int = part(whole(0, 10_000), 0)
    seed: int = part(whole(0), 0)

    def title(self, context: Context) -> str:
        """ "comparison of digits-cnn with 2 others"."""
        n = len(self.others)
        return f"comparison of {name_of(context.model)} with {n} other{'s' * (n != 1)}"

    def size(self, context: Context) -> int:
        """Every model, and all of them together."""
        refuse_number(len(self.others) + 1)
        return len(self.others) + 2

    def run(self, context: Context) -> Iterator[ComparedModel | ModelsCompared]:
        """Each model, and last the whole. A look at the test split is counted."""
        refuse_number(len(self.others) + 1)
        opened = [context.model, *(self._opened(each, context) for each in self.others)]
        split = context.look(self.split)
        together = Together(
            named=[Named(name, model) for name, model in zip(told_apart(opened), opened, strict=True)],
            dataset=context.dataset,
            split=split,
            evaluator=context.evaluator if self.split == "tune" else context.evaluator_of(split),
            by_metric=context.metric is not None,
            times=self.times,
            seed=self.seed,
            device=context.device,
        )
        n_looks = context.n_looks if self.split == "test" else None
        yield from models_and_comparison(together, ComparisonAbout(self._command(context), n_looks))

    def describe(self, result: ComparedModel | ModelsCompared) -> str:
        """ "digits-cnn"."""
        return result.name if isinstance(result, ComparedModel) else ""

    def key(self, context: Context) -> str:
        """Also of the others' weights: the same address may hold others tomorrow."""
        addresses = [each for each in self.others if isinstance(each, str)]
        identities = [self._opened(each, context).identity for each in addresses]
        return hashlib.sha256(f"{super().key(context)} {json.dumps(identities)}".encode()).hexdigest()[:24]

    def model_at(self, place: int, context: Context) -> LoadedModel:
        """The model at a place of the comparison; 0 is the first."""
        return context.model if place == 0 else self._opened(self.others[place - 1], context)

    def _opened(self, each: Other, context: Context) -> LoadedModel:
        if isinstance(each, PruneSpec):
            plan = make_plan(context.model, each, context.scores(each), context.dataset)
            return left_by(context.model, each, plan)
        model = context.opened.get(each)
        if model is None:
            model = self._recorded(each, context) if is_run(each) else models.load(each, arch=self.arch)
        runnable(model)
        return model

    def _recorded(self, each: str, context: Context) -> LoadedModel:
        record = record_at(each, context.store or Store(context.folder))
        is_same = record.model_digest == context.model.digest
        return model_again(record, context.model if is_same else None, context.dataset, arch=self.arch)

    def _command(self, context: Context) -> str:
        words = ["--split", self.split] if self.split != "tune" else []
        words += ["--metric", str(context.metric_key)] if context.metric_key else []
        words += ["--latency", "--pairs", str(self.times)] if self.times else []
        words += ["--seed", str(self.seed)]
        opened = [context.opened.get(each) for each in self.others if isinstance(each, str)]
        every = [context.model, *(model for model in opened if model is not None)]
        return command_of(every, self.others, context.dataset, self.arch, *words)


def compare_models(
    models: Sequence[LoadedModel | PruneSpec | str],
    data: Dataset | str | None = None,
    *,
    split: SplitName = "tune",
    times: int = 0,
    seed: int = 0,
    device: str = "cpu",
    metric: Given | None = None,
) -> ModelsCompared:
    """Compare two to eight models on the same samples, each against the first.

    Args:
        models: Loaded ones or addresses; a :class:`PruneSpec` stands for what it leaves of the first, "run:12" for
            the model of a recorded run.
        data: What all answer; None: what the first was made for.
        split: "tune" or "test"; a look at test is counted for good.
        times: Pairs of passes to time; 0 measures no time.
        seed: Of the order in which two models take turns.
        device: Where the passes run.
        metric: In the place of accuracy, as for :func:`explorer.evaluate`.

    Returns:
        A :class:`ModelsCompared`: a score with its interval, loss, sparsity, bytes and multiplications of each, paired
        differences, confusion matrices, changed samples, weights in common, and where the outputs part.

    Raises:
        ExplorerError: One model or more than eight; models that were not made for the same data, classes or task.

    Examples:
        >>> import explorer as ex
        >>> half = ex.PruneSpec(allocation="global:sparsity=0.5")
        >>> compared = ex.compare_models(["digits-mlp", half])
        >>> compared.names
        ('digits-mlp', 'digits-mlp, 50% pruned')
        >>> len(compared.changed(1)) == round(compared.models[1].against.changed.value * compared.n)
        True
    """
    refuse_number(len(models))
    dense, asked, opened = _asked(models)
    dataset = given_data(_data_of_run(models[0]) if data is None else data, dense)
    if data is None:
        refuse_other_data(dense, list(opened.values()))
    context = Context(dense, dataset, device=device, opened=opened, metric=metric)
    *_, last = results(CompareRequest(asked, None, split, times, seed), context)
    if not isinstance(last, ModelsCompared):
        raise TypeError("the last result of a comparison is the whole")
    return last


def _asked(
    models: Sequence[LoadedModel | PruneSpec | str],
) -> tuple[LoadedModel, tuple[Other, ...], dict[str, LoadedModel]]:
    """The first model, what the others are called in a request, and those of them that are models, by that."""
    first, *others = models
    if isinstance(first, PruneSpec):
        raise ExplorerError("The first of them is no model.", fix="Begin with the model of the requests.")
    asked: list[Other] = []
    opened: dict[str, LoadedModel] = {}
    for i, each in enumerate(others, 1):
        if isinstance(each, PruneSpec) or is_run(each):
            asked.append(each)  # type: ignore[arg-type]
            continue
        model = given_model(each)
        key = model.address if opened.get(model.address, model) is model else f"{model.address} ({i})"
        opened[key] = model
        asked.append(key)
    dense = model_again(record_at(first, Store())) if isinstance(first, str) and is_run(first) else given_model(first)
    return dense, tuple(asked), opened


def _data_of_run(first: LoadedModel | PruneSpec | str) -> str | None:
    return record_at(first, Store()).data_address if isinstance(first, str) and is_run(first) else None
