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

LOGITS = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 5.0]])
OUTPUTS = Outputs(LOGITS, labels=torch.tensor([0, 2, 0, 2]), dense=torch.tensor([0, 1, 1, 2]))

every_metric = pytest.mark.parametrize("metric", [m() for m in METRICS], ids=[m.key for m in METRICS])


@every_metric
def test_every_metric_gives_one_number_a_sample_and_batches_give_the_same(metric: Metric) -> None:
    whole = metric.per_sample(OUTPUTS)
    halves = [
        metric.per_sample(Outputs(LOGITS[part], OUTPUTS.labels[part], OUTPUTS.dense[part]))
        for part in (slice(0, 2), slice(2, 4))
    ]
    assert whole.shape == (4,)
    assert torch.equal(torch.cat(halves), whole)


@every_metric
def test_every_metric_explains_itself_and_is_found_by_its_key(metric: Metric) -> None:
    assert type(metric).__doc__
    assert metrics.get(metric.key) == metric
    assert why_not(metric, labels=True) is None


@every_metric
def test_every_measurement_says_how_it_came_about(metric: Metric) -> None:
    measured = measure(metric, metric.per_sample(OUTPUTS), batch_size=2)
    assert (measured.name, measured.origin, measured.n, measured.batch_size) == (metric.key, "measured", 4, 2)
    assert measured.low <= measured.value <= measured.high
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
    assert why_not(metrics.get("loss"), labels=False) == "The data has no labels."
    assert why_not(metrics.get("agreement"), labels=False) is None


def test_the_machine_names_processor_cores_and_torch() -> None:
    assert f"torch {torch.__version__}" in machine()
    assert "core" in machine()
    assert datetime.date.fromisoformat(today())
