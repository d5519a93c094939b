"""Calibration metrics against formulas written out here, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import balanced_accuracy_score, log_loss

import explorer as ex
from explorer import metrics
from explorer.engine.evaluator import Evaluator
from explorer.metrics.base import Outputs, measure
from explorer.metrics.ece import N_BINS


def outputs_of(probabilities: torch.Tensor, labels: torch.Tensor) -> Outputs:
    return Outputs(probabilities.log(), labels, probabilities.argmax(dim=1))


def some(n: int = 400, classes: int = 7) -> Outputs:
    generator = torch.Generator().manual_seed(3)
    probabilities = (2 * torch.randn(n, classes, generator=generator, dtype=torch.float64)).softmax(dim=1)
    return outputs_of(probabilities, torch.randint(0, classes, (n,), generator=generator))


def value_of(key: str, outputs: Outputs) -> float:
    metric = metrics.get(key)
    return metric.total(metric.per_sample(outputs))


def test_nll_is_the_log_loss_of_scikit_learn() -> None:
    outputs = some()
    expected = log_loss(outputs.labels, outputs.logits.softmax(dim=1), labels=range(7))
    assert value_of("nll", outputs) == pytest.approx(expected, rel=1e-9)


def test_balanced_accuracy_is_that_of_scikit_learn_and_its_interval_covers_the_truth() -> None:
    outputs = some()
    expected = balanced_accuracy_score(outputs.labels, outputs.logits.argmax(dim=1))
    assert value_of("balanced_accuracy", outputs) == pytest.approx(expected, rel=1e-12)
    always_0 = outputs_of(torch.tensor([[0.9, 0.1]] * 100), torch.tensor([0] * 95 + [1] * 5))
    assert (value_of("accuracy", always_0), value_of("balanced_accuracy", always_0)) == (0.95, 0.5)
    metric, recalls, labels = metrics.get("balanced_accuracy"), np.array([0.9, 0.5]), np.repeat([0, 1], [190, 20])
    random, n_covered = np.random.default_rng(0), 0
    for _ in range(400):
        right = random.random(len(labels)) < recalls[labels]
        interval = metric.interval(torch.from_numpy(np.stack([labels, right], axis=1).astype(float)))
        assert interval is not None
        n_covered += interval.low <= 0.7 <= interval.high
    assert 0.92 * 400 <= n_covered <= 0.99 * 400


def test_brier_sums_squared_differences_over_all_classes() -> None:
    by_hand = outputs_of(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], dtype=torch.float64), torch.tensor([0, 1]))
    assert metrics.get("brier").per_sample(by_hand).tolist() == pytest.approx(
        [0.3**2 + 0.2**2 + 0.1**2, 0.1**2 + 0.9**2 + 0.8**2]
    )
    certain = torch.eye(3, dtype=torch.float64)
    assert value_of("brier", outputs_of(certain, torch.tensor([0, 1, 2]))) == pytest.approx(0.0)
    assert value_of("brier", outputs_of(certain, torch.tensor([1, 2, 0]))) == pytest.approx(2.0)


def test_ece_equals_a_plain_loop_over_fifteen_bins() -> None:
    outputs = some()
    probabilities = outputs.logits.softmax(dim=1).numpy()
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == outputs.labels.numpy()
    expected = 0.0
    for low, high in zip(np.linspace(0, 1, 16)[:-1], np.linspace(0, 1, 16)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert N_BINS == 15
    assert value_of("ece", outputs) == pytest.approx(expected, rel=1e-9)


def test_ece_of_two_bins_by_hand() -> None:
    probabilities = torch.tensor([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 4, dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1, 0, 1, 1, 1])
    # three of four right at 0.9, one of four at 0.6: half of 0.15 and half of 0.35
    assert value_of("ece", outputs_of(probabilities, labels)) == pytest.approx(0.5 * 0.15 + 0.5 * 0.35)


def test_the_interval_of_ece_holds_the_true_error_about_as_often_as_it_says() -> None:
    """Confidence 0.9 in every answer and 0.7 of them right: the true error is 0.2."""
    metric, generator, inside = metrics.get("ece"), torch.Generator().manual_seed(1), 0
    for _ in range(300):
        right = torch.rand(450, generator=generator) < 0.7
        values = torch.stack([torch.full((450,), 0.9, dtype=torch.float64), right.double()], dim=1)
        interval = metric.interval(values)
        assert interval is not None
        inside += interval.low <= 0.2 <= interval.high
    assert 0.90 <= inside / 300 <= 0.99


def test_outputs_that_are_not_finite_have_no_calibration() -> None:
    broken = Outputs(torch.full((2, 3), math.nan), torch.tensor([0, 1]), torch.tensor([0, 0]))
    for key in ("nll", "brier", "ece"):
        metric = metrics.get(key)
        measurement = measure(metric, metric.per_sample(broken), batch_size=2)
        assert math.isnan(measurement.value)
        assert measurement.low is None


def test_divergence_from_dense_is_that_of_scipy_on_the_same_samples_and_zero_for_the_dense_model() -> None:
    """Through the evaluator, drop and scan included, and for scores of minus infinity."""
    model, split, spec = (
        ex.load("digits-mlp"),
        ex.load_data("digits").splits["tune"],
        ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.8"),
    )
    with torch.no_grad():
        dense, pruned = (
            ex.masked(model, ex.plan(model, s)).module(split.x).double().softmax(1).numpy()
            for s in (ex.PruneSpec(), spec)
        )
    each = entropy(dense, pruned, axis=1)
    report = ex.evaluate(model, spec, metric="kl")
    assert report.accuracy is not None
    assert report.drop is not None
    assert report.accuracy.value == pytest.approx(each.mean(), rel=1e-4)
    assert report.accuracy.low == pytest.approx(each.mean() - 1.96 * each.std(ddof=1) / len(each) ** 0.5, rel=1e-3)
    assert report.drop.value == pytest.approx(each.mean(), rel=1e-4)
    evaluator = Evaluator(model, split)
    assert evaluator.dense().metrics["kl"].value == 0.0
    few, odd = torch.tensor([[0.0, -math.inf, 0.0]]), torch.tensor([[0.0, 0.0, math.nan]])
    metric, of_few = metrics.get("kl"), few.softmax(1)
    expected = entropy(of_few[0], [0.25, 0.25, 0.5])
    answer = metric.per_sample(Outputs(torch.tensor([[0.25, 0.25, 0.5]]).log(), None, few.argmax(1), few))
    assert float(answer) == pytest.approx(expected, rel=1e-6)
    assert math.isnan(float(metric.per_sample(Outputs(odd, None, few.argmax(1), few))))


def test_divergence_is_refused_in_a_sentence_above_a_thousand_classes() -> None:
    refusal = metrics.get("kl").why_not(1001)
    assert str(refusal) == "It holds the dense model's scores, of 1,000 classes at most."
    assert metrics.get("kl").why_not(1000) is None
