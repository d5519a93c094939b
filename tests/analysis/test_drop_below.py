"""Whether a drop is below a limit is answered alike by every face, as soon as it can be."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import explorer as ex
from explorer.analysis.drop_below.answering import answer_of, answers, as_stopped
from explorer.analysis.drop_below.evidence import anytime_interval
from explorer.engine.evaluator import Evaluator
from explorer.engine.live import LiveWorker
from explorer.errors import ExplorerError

MODEL = "digits-mlp"


@pytest.fixture(scope="module")
def opened() -> Any:
    model = ex.load(MODEL)
    return model, ex.load_data("digits", model=model).splits["tune"]


def test_it_stops_at_the_first_batch_that_answers_and_the_batches_change_nothing(opened: Any) -> None:
    model, split = opened
    for share, verdict in ((0.7, "no"), (0.0, "yes"), (0.5, "not yet")):
        plan = ex.plan(model, ex.PruneSpec(allocation=f"global:sparsity={share}"))
        rows = []
        for batch_size in (16, 450):
            evaluator = Evaluator(model, split, batch_size=batch_size)
            *_, last = answers(evaluator, plan, 0.01)
            rows.append((last.verdict, last.n, last.drop.value, last.n_more))
        assert rows[0] == rows[1]
        assert rows[0][0] == verdict
        whole = answer_of(Evaluator(model, split).final(plan), split.y, 0.01)
        assert (whole.verdict, whole.n, whole.drop.value, whole.n_more) == rows[0]


def test_the_counts_are_those_of_the_answers_sample_by_sample(opened: Any) -> None:
    model, split = opened
    evaluation = Evaluator(model, split).final(ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.6")))
    answer = answer_of(evaluation, split.y, 0.01)
    predictions, dense = evaluation.predictions, evaluation.dense_predictions
    right, before = (one[: answer.n] == split.y[: answer.n] for one in (predictions, dense))
    assert answer.drop.value == pytest.approx((int(before.sum()) - int(right.sum())) / answer.n)
    assert answer.drop.n == answer.n


def test_the_samples_that_are_still_needed_would_answer_it_and_one_fewer_would_not() -> None:
    *_, answer = ex.drop_below(MODEL, ex.PruneSpec(allocation="global:sparsity=0.6"), limit=0.01)
    assert answer.verdict == "not yet"
    assert answer.n_more is not None
    model = ex.load(MODEL)
    split = ex.load_data("digits", model=model).splits["tune"]
    evaluation = Evaluator(model, split).final(ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.6")))
    now, before = evaluation.predictions == split.y, evaluation.dense_predictions == split.y
    counts = torch.tensor([(now & ~before).sum(), (now == before).sum(), (before & ~now).sum()]).double()
    for more, is_outside in ((answer.n_more, True), (answer.n_more - 2, False)):
        low, high = anytime_interval(counts * (1 + more / answer.n))
        assert (not low <= 0.01 <= high) == is_outside


def test_a_live_evaluation_that_is_answered_ends_there_and_goes_on_when_all_is_asked(opened: Any) -> None:
    model, split = opened
    plan = ex.plan(model, ex.PruneSpec(allocation="global:sparsity=0.9"))
    worker = LiveWorker(Evaluator(model, split, batch_size=30))
    worker.submit("a", plan, lambda evaluation: answer_of(evaluation, split.y, 0.01).answered)
    stopped = worker.wait(300).result
    assert not stopped.complete
    worker.submit("a", plan, lambda evaluation: answer_of(evaluation, split.y, 0.01).answered)
    assert worker.wait(300).result is stopped
    usual, honest = stopped.drop, as_stopped(stopped, split.y).drop
    assert honest.value == usual.value
    assert honest.high - honest.low > usual.high - usual.low
    worker.submit("a", plan)
    assert worker.wait(300).result.complete
    worker.close()


def test_what_cannot_be_asked_is_refused_in_a_sentence(opened: Any) -> None:
    model, split = opened
    evaluation = Evaluator(model, split).final(None)
    for limit in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(ExplorerError, match="is no limit"):
            answer_of(evaluation, split.y, limit)
