"""Metrics of the user's own, and the one that takes the place of accuracy: values, intervals and directions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from torch import Tensor, nn

import explorer as ex
from explorer.cli import main
from explorer.metrics.own import metric_of
from explorer.metrics.own.paired import lost
from explorer.store.database import Store

SPEC = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.7")
MODEL = ex.load("digits-cnn")
TUNE = ex.load_data("digits").splits["tune"]


def outputs_of(spec: ex.PruneSpec) -> Tensor:
    with torch.no_grad():
        outputs: Tensor = ex.masked(MODEL, ex.plan(MODEL, spec)).module(TUNE.x)
    return outputs


def margin(outputs: Tensor, targets: Tensor) -> Tensor:
    """How far the right class is above the best other one."""
    right = outputs.gather(1, targets[:, None])[:, 0]
    return right - outputs.scatter(1, targets[:, None], -torch.inf).amax(dim=1)


def shortfall(outputs: Tensor, targets: Tensor) -> Tensor:
    return -margin(outputs, targets)


shortfall.higher_is_better = False  # type: ignore[attr-defined]


class AreaUnderCurve:
    """As torchmetrics objects are: updated batch by batch, asked at the end."""

    higher_is_better = True

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.scores: list[Tensor] = []
        self.targets: list[Tensor] = []

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        self.scores.append(outputs.softmax(1))
        self.targets.append(targets)

    def compute(self) -> Tensor:
        scores, targets = torch.cat(self.scores), torch.cat(self.targets)
        return torch.tensor(roc_auc_score(targets == 3, scores[:, 3]))


def test_a_function_gives_its_mean_with_the_interval_of_a_mean() -> None:
    report = ex.evaluate(MODEL, SPEC, metrics=[margin])

    values = margin(outputs_of(SPEC), TUNE.y).double().numpy()  # type: ignore[arg-type]
    assert report.evaluation is not None
    measured = report.evaluation.metrics["margin"]
    error = stats.sem(values)
    assert measured.value == pytest.approx(values.mean(), abs=1e-4)
    assert measured.low == pytest.approx(values.mean() - 1.959964 * error, abs=1e-3)
    assert measured.high == pytest.approx(values.mean() + 1.959964 * error, abs=1e-3)
    assert report.to_json()["metrics"]["margin"]["n"] == 450
    assert report.accuracy is not None
    assert report.accuracy.name == "accuracy"


def test_an_object_gives_one_number_of_all_samples_with_a_bootstrap_that_is_named() -> None:
    metric = AreaUnderCurve()

    report = ex.evaluate(MODEL, SPEC, metrics={"auc": metric})

    expected = roc_auc_score(TUNE.y == 3, outputs_of(SPEC).softmax(1)[:, 3])  # type: ignore[operator]
    assert report.evaluation is not None
    measured = report.evaluation.metrics["auc"]
    assert measured.value == pytest.approx(expected)
    assert measured.low is not None
    assert measured.high is not None
    assert measured.low <= measured.value <= measured.high
    assert "bootstrap" in measured.note
    assert metric.scores == []


def test_a_chosen_headline_stands_first_and_its_drop_is_worse_where_it_is_positive() -> None:
    dense, pruned = outputs_of(ex.PruneSpec()), outputs_of(SPEC)
    fall = float((margin(dense, TUNE.y) - margin(pruned, TUNE.y)).double().mean())  # type: ignore[arg-type]

    for metric in (margin, shortfall):
        report = ex.evaluate(MODEL, SPEC, metric=metric)
        assert report.drop is not None
        assert report.drop.value == pytest.approx(fall, abs=1e-4)
        assert report.drop.low is not None
        assert report.drop.low < fall < report.drop.high  # type: ignore[operator]
        assert f"{metric.__name__} " in str(report)
        assert report.to_json()["judged_by"] == "metric"
        right = (pruned.argmax(1) == TUNE.y).double().mean()
        assert report.to_json()["metrics"]["accuracy"]["value"] == pytest.approx(float(right))


def test_a_registered_metric_is_the_headline_by_its_key() -> None:
    report = ex.evaluate(MODEL, SPEC, metric="balanced_accuracy")

    dense, pruned = (outputs_of(spec).argmax(1) for spec in (ex.PruneSpec(), SPEC))
    expected = balanced_accuracy_score(TUNE.y, pruned)
    assert report.accuracy is not None
    assert report.accuracy.value == pytest.approx(expected)
    assert report.drop is not None
    assert report.drop.value == pytest.approx(balanced_accuracy_score(TUNE.y, dense) - expected)
    loss = ex.evaluate(MODEL, SPEC, metric="loss")
    assert loss.drop is not None
    assert loss.drop.value > 0
    assert not any("chance" in finding.what for finding in loss.findings)


def test_the_jackknife_of_a_mean_is_the_interval_of_a_mean() -> None:
    """Leaving single samples out gives the usual variance of a mean exactly."""
    generator = torch.Generator().manual_seed(0)
    dense, pruned = torch.randn(2, 40, generator=generator, dtype=torch.float64)
    metric = metric_of(lambda outputs, targets: outputs, "values")

    value, interval = lost(metric, dense[:, None], pruned[:, None])  # (n, 1): not seen as a plain mean

    difference = (dense - pruned).numpy()
    assert value == pytest.approx(difference.mean())
    assert interval is not None
    assert interval.high - value == pytest.approx(1.959964 * difference.std(ddof=1) / np.sqrt(40), rel=1e-6)


def test_scan_sweep_and_search_follow_the_headline() -> None:
    half = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
    expected = balanced_accuracy_score(TUNE.y, outputs_of(half).argmax(1))
    dense = balanced_accuracy_score(TUNE.y, outputs_of(ex.PruneSpec()).argmax(1))

    (point,) = ex.sweep(MODEL, half, sparsities=(0.5,), metric="balanced_accuracy")
    cells = [cell for cell in ex.scan(MODEL, levels=(0.5,), metric="balanced_accuracy") if cell.complete]
    estimated = [c for c in ex.scan(MODEL, levels=(0.5,), mode="estimate", metric="balanced_accuracy") if c.complete]
    first = next(iter(ex.search(MODEL, budget="params=0.5", evaluations=2, cells=cells, metric="balanced_accuracy")))

    assert {each.accuracy.name for each in (point, *cells, first.point)} == {"balanced_accuracy"}
    assert point.accuracy.value == pytest.approx(expected)
    assert [cell.accuracy.value + cell.drop.value for cell in cells] == pytest.approx([dense] * len(cells))
    assert [cell.drop.value for cell in estimated] == pytest.approx([cell.drop.value for cell in cells])


def test_the_front_of_a_metric_of_which_less_is_better_holds_the_low_ones() -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
    points = list(ex.sweep(MODEL, spec, sparsities=(0.0, 0.5, 0.95), metric="loss"))

    values = [point.accuracy.value for point in points]
    assert values[0] < values[2]
    assert points[0] in ex.pareto(points)


def test_the_command_line_takes_the_key_of_a_registered_metric_and_records_it_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "evaluate",
        "digits-cnn",
        "--sparsity",
        "0.7",
        "--metric",
        "balanced_accuracy",
        "--data-dir",
        str(tmp_path),
    ]

    assert main([*words, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert main(words) == 0
    table = capsys.readouterr().out

    assert printed["judged_by"] == "metric"
    assert printed["metrics"]["drop"]["name"] == "drop"
    assert "Δ balanced accuracy (negative is worse)" in table
    (record,) = Store(tmp_path).points()
    assert (record.judged_by, record.point.accuracy.name, record.point.drop.best) == (
        "metric",
        "balanced_accuracy",
        "highest",
    )


def test_targets_of_a_task_of_ones_own_reach_the_metric() -> None:
    torch.manual_seed(0)
    net, x, targets = nn.Linear(4, 3), torch.randn(20, 4), torch.randn(20, 3)

    def distance(outputs: Tensor, wanted_rows: Tensor) -> Tensor:
        return (outputs - wanted_rows).norm(dim=1)

    distance.higher_is_better = False  # type: ignore[attr-defined]
    model = ex.load(net, example=x, task="custom")
    report = ex.evaluate(model, None, (x, targets), metrics=[distance])

    with torch.no_grad():
        expected = float((net(x) - targets).norm(dim=1).mean())
    assert report.to_json()["metrics"]["distance"]["value"] == pytest.approx(expected, rel=1e-6)
    assert report.evaluation is not None
    assert report.evaluation.judged_by == "agreement"


def test_what_is_no_metric_is_refused() -> None:
    refusals = {
        "no metric called|no metric": "nothing",
        "does not give one number a sample": lambda outputs, targets: outputs.mean(),
        "ValueError": lambda outputs, targets: int("x"),
    }
    for words, metric in refusals.items():
        given = {"mine": metric} if callable(metric) else [metric]
        with pytest.raises(ex.ExplorerError, match=words):
            ex.evaluate(MODEL, SPEC, metrics=given)
    with pytest.raises(ex.ExplorerError, match="cannot be called '<lambda>'"):
        ex.evaluate(MODEL, SPEC, metrics=[lambda outputs, targets: outputs])
    with pytest.raises(ex.ExplorerError, match="cannot be called 'accuracy'"):
        ex.evaluate(MODEL, SPEC, metrics={"accuracy": margin})
    with pytest.raises(ex.ExplorerError, match="cannot be the headline"):
        ex.evaluate(MODEL, SPEC, metric="perplexity")
