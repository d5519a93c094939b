"""Several models measured on the same samples, each against the first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from explorer.analysis.check.accuracy import paired_drop
from explorer.analysis.check.answers import AnswerPair, Side, answered_by, task
from explorer.analysis.check.changed import share_changed
from explorer.analysis.check.cost import file_bytes, timed
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.provenance import zeros
from explorer.analysis.check.result import Identity
from explorer.analysis.check.statistics import mcnemar, mean_interval
from explorer.analysis.models_compared.layers import LayerDifference, layer_differences
from explorer.analysis.models_compared.lineage_map import lineage_map
from explorer.analysis.models_compared.result import ComparedModel, Difference, ModelsCompared
from explorer.analysis.models_compared.weights import weight_sets
from explorer.analysis.report import data_json
from explorer.engine.evaluator import Evaluator
from explorer.engine.program import failed
from explorer.errors import ExplorerError
from explorer.metrics.interval import wilson
from explorer.metrics.macs import macs
from explorer.metrics.origin import machine, today
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.store.records import versions
from explorer.text.names import model_name
from explorer.types import Dataset, LoadedModel, Measurement, Split, Task
from explorer.types.inputs import Inputs, sample_shape
from explorer.types.stopping import check as check_whether_stopped

FEWEST, MOST = 2, 8


@dataclass(frozen=True)
class Named:
    """A model with what it is called in the comparison."""

    name: str
    model: LoadedModel


@dataclass(eq=False)
class Together:
    """Models on the same samples of ``split``. ``evaluator`` is of the first one; ``by_metric``: another metric than
    the task's own first one was chosen as the headline. ``times`` pairs of passes are timed against the first."""

    named: Sequence[Named]
    dataset: Dataset
    split: Split
    evaluator: Evaluator
    by_metric: bool = False
    times: int = 0
    seed: int = 0
    device: str = "cpu"

    @property
    def models(self) -> list[LoadedModel]:
        """The models alone."""
        return [each.model for each in self.named]

    @cached_property
    def task(self) -> Task:
        """What all of them answer with. Raises ExplorerError where they do not answer the same question."""
        return _common_task(self.named, self.split)

    @cached_property
    def pairs(self) -> tuple[AnswerPair, ...]:
        """The first one's answers with those of each other; empty where they do not choose among classes."""
        if self.task != "classes":
            return ()
        return answered_by(self.models[0], self.models[1:], self.split.x, self.split.y)

    @cached_property
    def layers(self) -> tuple[tuple[LayerDifference, ...], ...]:
        """How far the outputs of each layer lie from the first one's, for each other model."""
        return layer_differences(self.models, self.split.x)

    def evidence(self, i: int) -> CheckEvidence:
        """What a check of a model against the first looks at."""
        evidence = CheckEvidence(
            self.models[0], self.models[i], self.dataset, self.split, times=self.times, seed=self.seed,
            device=self.device,
        )  # fmt: skip
        evidence.evaluator = self.evaluator
        if self.pairs:
            evidence.pair = self.pairs[max(i - 1, 0)]
        return evidence


@dataclass(frozen=True)
class ComparisonAbout:
    """What a comparison says of itself beside its numbers."""

    command: str
    looks_at_test: int | None = None


def models_and_comparison(together: Together, about: ComparisonAbout) -> Iterator[ComparedModel | ModelsCompared]:
    """Each model as it is measured, and last all of them as one value."""
    start, models = time.perf_counter(), []
    refuse_number(len(together.named))
    for i in range(len(together.named)):
        check_whether_stopped()
        models.append(_measured(together, i))
        yield models[-1]
    dataset = together.dataset
    yield ModelsCompared(
        models=tuple(models),
        pairs=together.pairs,
        classes=tuple(dataset.classes),
        lineage=lineage_map(together.models),
        data=data_json(dataset),
        split=together.split.name,
        n=len(together.split),
        seed=together.seed,
        command=about.command,
        machine=machine(together.device),
        date=today(),
        versions=versions(),
        looks_at_test=about.looks_at_test,
        seconds=time.perf_counter() - start,
    )


def refuse_number(n: int) -> None:
    """ExplorerError where there are too few models, or too many."""
    if not FEWEST <= n <= MOST:
        what = "One model alone is compared with nothing." if n < FEWEST else f"{n} models are too many to compare."
        raise ExplorerError(what, fix=f"Name {FEWEST} to {MOST} of them.")


def refuse_other_data(first: LoadedModel, others: Sequence[LoadedModel]) -> None:
    """ExplorerError where one says that it was made for other data than the first; for where no data was named."""
    for other in others:
        if first.data and other.data and other.data != first.data:
            what = f"{model_name(first.address)} and {model_name(other.address)} were made for different data."
            why = f"One is for {first.data}, the other for {other.data}."
            raise ExplorerError(what, why=why, fix="Name the data that both answer to.")


def _common_task(named: Sequence[Named], split: Split) -> Task:
    first, *others = ((each.name, _task(each.model, split)) for each in named)
    for name, other in others:
        if other != first[1]:
            what = f"{model_name(first[0])} and {model_name(name)} do not answer the same question."
            why = f"One answers with {first[1]}, the other with {other}."
            raise ExplorerError(what, why=why, fix="Compare models that were made for the same task.")
    return first[1]


def _task(model: LoadedModel, split: Split) -> Task:
    _refuse_other_inputs(model, split.x)
    try:
        return split.task or task(model, split.x, split.y)
    except ExplorerError:
        raise
    except Exception as error:
        raise failed(error, split.x) from error


def _refuse_other_inputs(model: LoadedModel, x: Inputs) -> None:
    if model.example is not None and _rank(model.example) != _rank(x):
        what = f"{model_name(model.address)} takes other samples than these."
        why = f"It takes {sample_shape(model.example)}, and these are {sample_shape(x)}."
        raise ExplorerError(what, why=why, fix="Compare models that were made for the same data.")


def _rank(x: Inputs) -> str:
    """How many inputs of how many dimensions; sizes may differ where a model takes several."""
    return "".join("," if c == "," else c for c in sample_shape(x) if c in ",()")


def _measured(together: Together, i: int) -> ComparedModel:
    model, evidence = together.models[i], together.evidence(i)
    share = zeros(model)
    counts = {} if share is None else macs(model, make_plan(model, PruneSpec()))
    score, loss = _level(together, i, evidence)
    return ComparedModel(
        name=together.named[i].name,
        identity=Identity.of(model),
        score=score,
        sparsity=None if share is None else Measurement("sparsity", share, "fraction", "counted"),
        size=file_bytes(model),
        loss=loss,
        macs=counts.get("sparse"),
        against=_difference(together, i, evidence) if i else None,
    )


def _level(together: Together, i: int, evidence: CheckEvidence) -> tuple[Measurement, Measurement | None]:
    """What it is evaluated by, and its loss."""
    if together.pairs and not together.by_metric:
        return _of_classes(evidence, evidence.pair.candidate if i else evidence.pair.dense, is_first=not i)
    evaluation = evidence.evaluation if i else together.evaluator.dense()
    return evaluation.accuracy, evaluation.loss


def _of_classes(evidence: CheckEvidence, side: Side, *, is_first: bool) -> tuple[Measurement, Measurement | None]:
    pair = evidence.pair
    if pair.labels is None:
        same = len(pair) if is_first else int((~pair.changed).sum())
        return evidence.measured("agreement", same / len(pair), "fraction", wilson(same, len(pair))), None
    right = int(pair.right(side).sum())
    score = evidence.measured("accuracy", right / len(pair), "fraction", wilson(right, len(pair)))
    loss = evidence.measured("nll", float(side.nll.mean()), "nats", mean_interval(side.nll.numpy()))
    return replace(score, best="highest"), replace(loss, best="lowest")


def _difference(together: Together, i: int, evidence: CheckEvidence) -> Difference:
    time = timed(evidence).ratio if together.times else None
    weights, layers = weight_sets(together.models[0], together.models[i]), together.layers[i - 1]
    of_metric = evidence.evaluation.drop if together.by_metric or not together.pairs else None
    if not together.pairs:
        return Difference(of_metric, time=time, weights=weights, layers=layers)
    pair, changed = evidence.pair, share_changed(evidence)
    if pair.labels is None:
        return Difference(of_metric, changed, time=time, weights=weights, layers=layers)
    lost, won = int(pair.lost.sum()), int(pair.won.sum())
    rise = (pair.candidate.nll - pair.dense.nll).numpy()
    return Difference(
        drop=of_metric or paired_drop(evidence),
        changed=changed,
        lost=lost,
        won=won,
        other=int(pair.changed.sum()) - lost - won,
        p=mcnemar(lost, won),
        loss=evidence.measured("nll", float(rise.mean()), "nats", mean_interval(rise)),
        time=time,
        weights=weights,
        layers=layers,
    )
