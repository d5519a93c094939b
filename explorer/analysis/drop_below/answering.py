"""Whether a setting costs less than a limit: yes, no, or not yet; measured only until it is answered."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from explorer.analysis.arguments import given_data, given_model, given_spec, split_of
from explorer.analysis.drop_below.evidence import (
    ERROR,
    anytime_interval,
    log_evidence_above,
    log_evidence_below,
    tallied,
    tallied_so_far,
)
from explorer.analysis.parent import count_look_at_test
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import DELTA, delta_with_ends
from explorer.text.numbers import count, percent_asked, points_spelled
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, SplitName
from explorer.types.aliases import JsonDict, JsonObject
from explorer.types.brief import Shown

Verdict = Literal["yes", "no", "not yet"]
_MOST_MORE = 1e7
_HALVINGS = 60


@dataclass(frozen=True, repr=False)
class DropAnswer(Shown):
    """Whether the drop is below ``limit`` (a fraction: 0.01 is one point) after ``n`` of ``total`` samples.

    ``drop`` has an interval that holds however often one looked. ``n_more`` estimates how many more samples answer it
    if they go on like those so far; None once it is answered, or where none would. ``n_looks`` counts the looks at the
    locked test split.

    Examples:
        >>> import explorer as ex
        >>> *_, answer = ex.drop_below("digits-mlp", ex.PruneSpec(allocation="global:sparsity=0.9"))
        >>> answer.verdict, answer.n < answer.total
        ('no', True)
    """

    limit: float
    verdict: Verdict
    n: int
    total: int
    drop: Measurement
    n_more: int | None = None
    error: float = ERROR
    n_looks: int | None = None

    @property
    def answered(self) -> bool:
        return self.verdict != "not yet"

    @property
    def question(self) -> str:
        """ "Drop below 1 point"."""
        return f"Drop below {points_spelled(self.limit)}"

    @property
    def words(self) -> str:
        """The answer in a sentence, with what it rests on."""
        if self.answered:
            return f"{self.verdict}, after {count(self.n)} of {count(self.total)} samples"
        if self.n_more is None:
            return f"not yet after {count(self.n)} samples, and no number of more like them would tell"
        left = self.total - self.n
        rest = "" if self.n_more <= left else f", of which this split has {count(left) if left else 'none'}"
        return f"not yet after {count(self.n)} samples: about {count(self.n_more)} more, estimated{rest}"

    def __str__(self) -> str:
        return f"{self.question}: {self.words}."

    @property
    def basis(self) -> str:
        """How far the answer can be trusted, and what the drop may be."""
        sure = f"At most {percent_asked(self.error)} of such answers are wrong, however often one looks"
        return f"{DELTA} {delta_with_ends(self.drop)}, measured on {count(self.n)}. {sure}."

    def to_json(self) -> JsonDict:
        """One JSON-able object."""
        return {**asdict(self), "drop": asdict(self.drop)}

    def _in_brief(self) -> JsonObject:
        return {"limit": self.limit, "verdict": self.verdict, "n": self.n, "total": self.total}


def answer_of(evaluation: Evaluation, labels: Tensor | None, limit: float) -> DropAnswer:
    """What the samples of an evaluation so far say of the question.

    It looks after each sample, and at nothing behind the one that answers: so the answer is the same in batches of any
    size, and whether more was measured or not.

    Raises ExplorerError where a sample is not simply right or wrong, or the limit is no share between 0 and 1.
    """
    if not 0 < limit < 1:
        raise ExplorerError(f"A drop of {limit:g} is no limit.", fix="Give a share between 0 and 1; 0.01 is one point.")
    counts = tallied_so_far(_differences(evaluation, labels))
    needed = math.log(2 / ERROR)  # that of the interval: an answer is there when the limit is not in it
    below, above = (evidence(counts, limit) >= needed for evidence in (log_evidence_below, log_evidence_above))
    answering = torch.nonzero(below | above).flatten()
    n = int(answering[0]) + 1 if len(answering) else evaluation.n
    verdict: Verdict = "not yet" if not len(answering) else "yes" if bool(below[n - 1]) else "no"
    so_far = counts[n - 1]
    low, high = anytime_interval(so_far)
    drop = replace(evaluation.drop, value=float(so_far[2] - so_far[0]) / n, low=low, high=high, n=n)
    n_more = _n_more(so_far, limit, needed) if verdict == "not yet" else None
    return DropAnswer(limit, verdict, n, evaluation.total, drop, n_more)


def why_no_answer(evaluation: Evaluation) -> ExplorerError | None:
    """Why the question cannot be answered of such an evaluation; None where it can."""
    if evaluation.chooses_classes and evaluation.judged_by in ("labels", "agreement"):
        return None
    return ExplorerError(
        "Whether a drop is below a limit can be answered early only where a sample is right or wrong.",
        why=f"Here it is evaluated by {evaluation.accuracy.name}.",
        fix="Evaluate on all samples; the interval of the drop tells.",
    )


def is_answered(evaluation: Evaluation, labels: Tensor | None, limit: float) -> bool:
    """Whether the samples so far answer the question; never where it cannot be answered at all."""
    return why_no_answer(evaluation) is None and answer_of(evaluation, labels, limit).answered


def as_stopped(evaluation: Evaluation, labels: Tensor | None) -> Evaluation:
    """An evaluation that ended because of what it had seen: with intervals that hold all the same, or with none."""
    drop = _at_every_look(evaluation.drop, _differences(evaluation, labels))
    without = {key: replace(metric, low=None, high=None) for key, metric in evaluation.metrics.items()}
    agreement = _at_every_look(evaluation.agreement, (evaluation.predictions == evaluation.dense_predictions).long())
    accuracy, loss = agreement, evaluation.loss
    if labels is not None and evaluation.judged_by == "labels":
        accuracy = _at_every_look(evaluation.accuracy, (evaluation.predictions == labels[: evaluation.n]).long())
    return replace(
        evaluation,
        accuracy=accuracy,
        drop=drop,
        agreement=agreement,
        loss=None if loss is None else replace(loss, low=None, high=None),
        metrics=without,
    )


def _at_every_look(measurement: Measurement, values: Tensor) -> Measurement:
    low, high = anytime_interval(tallied(values))
    return replace(measurement, low=low, high=high)


def drop_below(
    model: LoadedModel | str,
    spec: PruneSpec | JsonObject | str | None = None,
    data: Dataset | str | None = None,
    *,
    limit: float = 0.01,
    split: SplitName = "tune",
    device: str = "cpu",
) -> Iterator[DropAnswer]:
    """Measure until it is answered whether ``spec`` costs less than ``limit`` of accuracy.

    A wrong answer comes in at most 5 % of cases, though one looks after every batch.

    Args:
        model: A model or its address.
        spec: A request, or its JSON; None prunes nothing.
        data: None: what the model was made for.
        limit: The drop that is asked about: 0.01 is one point of accuracy, without labels of agreement.
        split: What it is measured on; each call on the test split is counted for good.
        device: Where the passes run.

    Returns:
        An iterator of answers, one a batch; the last one is the answer, or "not yet" where the split has no more.

    Raises:
        ExplorerError: The model does not choose one class for each sample, or the split is absent.

    Examples:
        >>> import explorer as ex
        >>> *_, answer = ex.drop_below("digits-mlp", ex.PruneSpec(allocation="global:sparsity=0.9"), limit=0.02)
        >>> print(answer)  # doctest: +ELLIPSIS
        Drop below 2 points: no, after ... of 450 samples.
    """
    loaded = given_model(model)
    dataset = given_data(data, loaded)
    plan = make_plan(loaded, given_spec(spec), data=dataset)
    samples = split_of(dataset, split)
    n_looks = count_look_at_test(loaded, dataset) if split == "test" else None
    evaluator = Evaluator(loaded, samples, device=device)
    for answer in answers(evaluator, plan, limit):
        yield replace(answer, n_looks=n_looks)


def answers(evaluator: Evaluator, plan: Plan, limit: float) -> Iterator[DropAnswer]:
    """The answers after each batch, until one answers it."""
    running = evaluator.run(plan)
    for evaluation in running:
        answer = answer_of(evaluation, evaluator.split.y, limit)
        yield answer
        if answer.answered:
            running.close()
            return


def _differences(evaluation: Evaluation, labels: Tensor | None) -> Tensor:
    """Sample by sample 1 where a right answer was lost, -1 where one was won; without labels 1 where they differ."""
    refusal = why_no_answer(evaluation)
    if refusal is not None:
        raise refusal
    now, before = evaluation.predictions, evaluation.dense_predictions
    if labels is None or evaluation.judged_by == "agreement":
        return (now != before).long()
    y = labels[: evaluation.n]
    return (before == y).long() - (now == y).long()


def _n_more(counts: Tensor, limit: float, needed: float) -> int | None:
    """How many more samples like these it takes; None beyond ten million."""

    def is_enough(factor: float) -> bool:
        evidence = (log_evidence_below(counts * factor, limit), log_evidence_above(counts * factor, limit))
        return max(map(float, evidence)) >= needed

    n = float(counts.sum())
    low, high = 1.0, max(2.0, _MOST_MORE / n)
    if not is_enough(high):
        return None
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return max(1, math.ceil((high - 1) * n - 1e-6))
