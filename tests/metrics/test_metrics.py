"""Metrics of samples: a contract that every member keeps, and values worked out by hand."""

from __future__ import annotations

import datetime
import math

import pytest
import torch

from explorer import metrics
from explorer.metrics import METRICS
from explorer.metrics.accuracy import drop
from explorer.metrics.base import Metric, Outputs, measure, why_not
from explorer.metrics.origin import machine, today
from explorer.metrics.per_class import class_counts
from tests.every import for_each

LOGITS = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 5.0]])
OUTPUTS = Outputs(
    LOGITS,
    labels=torch.tensor([0, 2, 0, 2]),
    dense=torch.tensor([0, 1, 1, 2]),
    dense_scores=torch.tensor([[2.0, 1.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 5.0]]),
)

TARGETS = torch.tensor([1.0, 2.0, 3.0, 6.0])
NUMBERS = Outputs(torch.tensor([[1.5], [2.0], [2.0], [5.0]]), labels=TARGETS, dense=torch.zeros(4))
TOKENS = Outputs(
    torch.randn(4, 3, 7, generator=torch.Generator().manual_seed(1)),
    labels=torch.tensor([[0, 1, 2], [3, -100, -100], [6, 5, -100], [4, 4, 4]]),
    dense=torch.zeros(4),
)
LABELS = Outputs(
    torch.tensor([[1.0, -1.0], [2.0, 2.0], [-1.0, -3.0], [-1.0, 0.5]]),
    labels=torch.tensor([[True, False], [True, False], [False, False], [True, True]]),
    dense=torch.tensor([[True, False], [True, True], [False, True], [False, True]]),
)
_PLACES = torch.Generator().manual_seed(2)
MASKS = Outputs(
    torch.randn(4, 3, 2, 5, generator=_PLACES),
    labels=torch.randint(0, 3, (4, 2, 5), generator=_PLACES),
    dense=torch.randint(0, 3, (4, 2, 5), generator=_PLACES),
)
VECTORS = Outputs(torch.randn(4, 6, generator=_PLACES), labels=None, dense=torch.randn(4, 6, generator=_PLACES))
GIVEN = {
    "classes": OUTPUTS,
    "labels": LABELS,
    "numbers": NUMBERS,
    "tokens": TOKENS,
    "mask": MASKS,
    "embedding": VECTORS,
}

every_metric = for_each("metric", [m() for m in METRICS])


@every_metric
def test_every_metric_gives_one_number_a_sample_and_batches_give_the_same(metric: Metric) -> None:
    given = GIVEN[metric.task]
    whole = metric.per_sample(given)
    halves = []
    for part in (slice(0, 2), slice(2, 4)):
        labels, scores = (None if of is None else of[part] for of in (given.labels, given.dense_scores))
        halves.append(metric.per_sample(Outputs(given.logits[part], labels, given.dense[part], scores)))
    assert whole.shape[0] == 4
    assert whole.dtype == torch.float64
    assert torch.equal(torch.cat(halves), whole)


@every_metric
def test_every_metric_explains_itself_and_is_found_by_its_key(metric: Metric) -> None:
    assert type(metric).__doc__
    assert metrics.get(metric.key) == metric
    assert why_not(metric, labels=True, task=metric.task) is None
    other = "numbers" if metric.task == "classes" else "classes"
    assert str(why_not(metric, labels=True, task=other)).endswith(".")


@every_metric
def test_every_measurement_says_how_it_came_about(metric: Metric) -> None:
    measured = measure(metric, metric.per_sample(GIVEN[metric.task]), batch_size=2)
    assert (measured.name, measured.origin, measured.n, measured.batch_size) == (metric.key, "measured", 4, 2)
    assert measured.low is None or measured.low <= measured.value <= measured.high
    assert measured.machine == machine()
    assert measured.date == today()


def test_accuracy_counts_right_first_choices_and_the_first_of_equal_ones_is_chosen() -> None:
    assert metrics.get("accuracy").per_sample(OUTPUTS).tolist() == [1, 0, 1, 1]


def test_agreement_compares_with_the_dense_predictions() -> None:
    assert metrics.get("agreement").per_sample(OUTPUTS).tolist() == [1, 1, 0, 1]


def test_loss_is_minus_the_log_of_the_right_probability() -> None:
    loss = metrics.get("loss").per_sample(OUTPUTS)
    assert loss[0].item() == pytest.approx(-math.log(math.e**2 / (math.e**2 + math.e + 1)))
    assert loss[2].item() == pytest.approx(math.log(3))


def test_a_loss_that_is_not_finite_says_so() -> None:
    outputs = Outputs(torch.full((2, 3), math.nan), torch.tensor([0, 1]), torch.tensor([0, 0]))
    metric = metrics.get("loss")
    measured = measure(metric, metric.per_sample(outputs), batch_size=2)
    assert math.isnan(measured.value)
    assert measured.low is None
    assert "not finite" in measured.note


def test_drop_is_dense_minus_pruned_on_the_same_samples() -> None:
    dense = torch.tensor([1.0] * 8 + [0.0] * 2)
    pruned = torch.tensor([1.0] * 5 + [0.0] * 4 + [1.0])
    measured = drop(dense, pruned, batch_size=5)
    assert measured.value == pytest.approx(0.2)  # 3 lost, 1 won, of 10
    assert measured.low < 0.2 < measured.high
    assert (measured.name, measured.unit, measured.n) == ("drop", "fraction", 10)


def test_what_needs_labels_says_why_it_does_not_apply_without_them() -> None:
    assert str(why_not(metrics.get("loss"), labels=False)) == "The data has no labels."
    assert why_not(metrics.get("agreement"), labels=False) is None


def test_the_machine_names_processor_cores_and_torch() -> None:
    assert f"torch {torch.__version__}" in machine()
    assert "core" in machine()
    assert datetime.date.fromisoformat(today())


def test_top_k_counts_the_right_class_among_the_first_k() -> None:
    assert metrics.get("top_k:k=1").per_sample(OUTPUTS).tolist() == [1, 0, 1, 1]
    two = metrics.get("top_k:k=2").per_sample(Outputs(LOGITS, torch.tensor([1, 1, 0, 0]), OUTPUTS.dense))
    assert two[:2].tolist() == [1, 1]
    assert metrics.get("top_k:k=3").per_sample(OUTPUTS).tolist() == [1, 1, 1, 1]


def test_top_k_says_when_it_cannot_fail() -> None:
    assert str(why_not(metrics.get("top_k"), labels=True, n_classes=5)) == (
        "With 5 classes the right one is always among the first 5."
    )
    assert why_not(metrics.get("top_k"), labels=True, n_classes=10) is None


def test_the_mean_absolute_error_is_in_the_targets_own_unit() -> None:
    metric = metrics.get("mae")
    assert metric.total(metric.per_sample(NUMBERS)) == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_r2_compares_with_always_answering_the_mean() -> None:
    metric = metrics.get("r2")
    assert metric.total(metric.per_sample(NUMBERS)) == pytest.approx(1 - (0.25 + 1 + 1) / (4 + 1 + 0 + 9))
    mean = Outputs(torch.full((4, 1), 3.0), TARGETS, torch.zeros(4))
    assert metric.total(metric.per_sample(mean)) == pytest.approx(0.0)
    constant = Outputs(torch.ones(2, 1), torch.ones(2), torch.zeros(2))
    assert math.isnan(metric.total(metric.per_sample(constant)))


def test_perplexity_weighs_tokens_alike_and_leaves_out_those_that_do_not_count() -> None:
    metric = metrics.get("perplexity")
    uniform = Outputs(torch.zeros(2, 3, 7), torch.tensor([[0, 1, 2], [3, -1, -1]]), torch.zeros(2))
    assert metric.total(metric.per_sample(uniform)) == pytest.approx(7.0)
    flat = TOKENS.logits.double().flatten(0, 1)
    wanted = torch.nn.functional.cross_entropy(flat, TOKENS.labels.flatten(), ignore_index=-100).exp()
    kept = TOKENS.labels.clamp_min(-100)
    assert metric.total(metric.per_sample(Outputs(TOKENS.logits, kept, TOKENS.dense))) == pytest.approx(float(wanted))


def test_classes_are_counted_one_by_one() -> None:
    counts = class_counts(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 1]), 4)
    assert [(c.n, c.n_right, c.n_chosen) for c in counts] == [(1, 1, 2), (3, 1, 1), (0, 0, 1), (0, 0, 0)]
    assert counts[1].recall.value == pytest.approx(1 / 3)
    assert counts[1].recall.low < 1 / 3 < counts[1].recall.high
    assert math.isnan(counts[3].recall.value)
