"""The metric in the place of accuracy, with its direction: one of which more is better beside its mirror image."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

import explorer as ex
from explorer.analysis.comparison.seeds import Level
from explorer.analysis.comparison.verdict import verdict
from explorer.analysis.sensitivity.scan import Sensitivity
from explorer.charts.sensitivity import curves, ranked
from explorer.cli import main
from explorer.engine.headlines import headlines
from explorer.metrics.base import dense_value
from explorer.recovery.steps import Finetune, Prune
from explorer.store.database import Store
from explorer.store.records import record_from, record_of
from explorer.text.delta import delta, delta_ends, delta_text
from explorer.types import Measurement, Split
from explorer.workbench import links
from explorer.workbench.workspace import Source, Workspace

MODEL = ex.load("digits-mlp")
TUNE = ex.load_data("digits").splits["tune"]
LEVELS = (0.5, 0.9)


def surprise(outputs: Tensor, targets: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, targets, reduction="none")


def calm(outputs: Tensor, targets: Tensor) -> Tensor:
    return -surprise(outputs, targets)


surprise.higher_is_better = False  # type: ignore[attr-defined]


def loss_of(spec: ex.PruneSpec) -> float:
    """By torch alone."""
    with torch.no_grad():
        outputs = ex.masked(MODEL, ex.plan(MODEL, spec)).module(TUNE.x)
    return float(functional.cross_entropy(outputs.double(), TUNE.y))  # type: ignore[arg-type]


def test_what_is_worse_drops_whichever_way_the_metric_is_better() -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.8")
    rise = loss_of(spec) - loss_of(ex.PruneSpec())
    for metric, change in ((surprise, rise), (calm, -rise), ("loss", rise)):
        report = ex.evaluate(MODEL, spec, metric=metric)
        assert report.accuracy is not None
        assert report.drop is not None
        assert report.drop.value == pytest.approx(rise, rel=1e-4)
        assert delta(report.drop) == pytest.approx(change, rel=1e-4)
        assert dense_value(report.accuracy, report.drop) == pytest.approx(
            loss_of(ex.PruneSpec()) * (1 if change > 0 else -1), rel=1e-4
        )


def test_a_change_is_told_in_the_units_of_its_metric() -> None:
    drop = Measurement("drop", 0.031, "nats", "measured", 0.01, 0.052, best="lowest")
    assert (delta_text(drop), delta_ends(drop)) == ("+0.031 nats", "+0.01 to +0.052 nats")
    assert delta_text(replace(drop, best="highest")) == "−0.031 nats"
    assert delta_text(replace(drop, unit="fraction", best=None)) == "−3.1 pt"
    assert delta_ends(replace(drop, unit="fraction", best="lowest")) == "+1.0 to +5.2 pt"


def test_scans_and_their_pictures_turn_with_the_metric() -> None:
    low, high = (Sensitivity.of(ex.scan(MODEL, levels=LEVELS, metric=metric)) for metric in (surprise, calm))

    assert low.fragility() == pytest.approx(high.fragility())
    assert low.strips() == {group: pytest.approx(strip) for group, strip in high.strips().items()}
    assert low.dense_accuracy == pytest.approx(-high.dense_accuracy)
    name = low.groups[0]
    heights = [trace.y for trace in curves(low, [name]).data if trace.mode == "lines+markers"]
    (first, *_, last) = heights[0]
    assert first == pytest.approx(loss_of(ex.PruneSpec()), rel=1e-4)
    assert last > first
    assert min(ranked(low, 0.9).data[0].x) > 0 > max(ranked(high, 0.9).data[0].x)


def test_a_scan_stops_a_layer_at_a_drop_in_the_units_of_its_metric() -> None:
    for metric in (surprise, calm):
        cells = list(ex.scan(MODEL, levels=(0.3, 0.9, 0.95), metric=metric, max_drop=0.0))
        whole = list(ex.scan(MODEL, levels=(0.3, 0.9, 0.95), metric=metric, max_drop=100.0))
        assert len(whole) > len(cells)


def test_searches_keep_to_a_drop_and_find_the_best_of_a_metric_that_should_be_low() -> None:
    answers = {}
    for metric in (surprise, calm):
        tried = list(ex.search(MODEL, max_drop=0.05, evaluations=6, levels=LEVELS, metric=metric))
        result = ex.SearchResult.of(tried)
        assert result is not None
        answers[metric.__name__] = result.best
        rise = loss_of(result.best.spec) - loss_of(ex.PruneSpec())
        assert result.best.drop.value == pytest.approx(rise, abs=1e-5)
        assert rise <= 0.05
        assert result.best.share < 1
        assert "worse by at most 0.05" in str(result.question)
    assert answers["surprise"].cost == answers["calm"].cost
    tried = list(ex.search(MODEL, budget="params=0.3", evaluations=6, levels=LEVELS, metric="loss"))
    best = ex.SearchResult.of(tried).best  # type: ignore[union-attr]
    assert best.point.accuracy.value == min(t.point.accuracy.value for t in tried if t.meets)


def test_the_best_epoch_is_chosen_by_the_metric() -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.9")
    recipe = ex.Recipe((Prune(spec), Finetune(epochs=3, learning_rate=0.05)))
    for metric, choose in (("loss", min), ("brier", min), ("balanced_accuracy", max)):
        *history, last = [p for p in ex.recover(MODEL, recipe, metric=metric) if p.complete]
        epochs = [p.accuracy.value for p in history if p.key == "finetune" and p.accuracy]
        assert last.recovered is not None
        assert last.recovered.tuned is not None
        assert last.recovered.tuned.name == metric
        assert last.recovered.tuned.value == pytest.approx(choose(epochs))


def test_the_better_of_two_methods_has_the_lower_loss() -> None:
    specs = [ex.PruneSpec("weight", criterion, "uniform:sparsity=0.8") for criterion in ("lp_norm:p=1", "random")]
    points = [next(iter(ex.sweep(MODEL, spec, sparsities=(0.8,), metric="loss"))) for spec in specs]
    one, other = (Level((point,)) for point in points)

    outcome = verdict("magnitude", one, "random", other)

    assert points[0].accuracy.value < points[1].accuracy.value
    assert outcome.difference == pytest.approx(points[1].accuracy.value - points[0].accuracy.value)
    assert outcome.outcome == "better"
    assert " nats " in outcome.sentence


def test_stored_runs_carry_the_metric_and_old_ones_still_read(tmp_path: Path) -> None:
    spec = ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")
    data = ex.load_data("digits")
    store = Store(tmp_path)
    requests = [ex.tasks.SweepRequest(spec, sparsities=(0.5,))] * 2
    for request, metric in zip(requests, (None, "loss"), strict=True):
        assert len(list(ex.run(request, MODEL, data, store=store, metric=metric))) == 1
    scan = ex.tasks.ScanRequest(spec, levels=(0.5,))
    names = [{c.accuracy.name for c in ex.run(scan, MODEL, data, store=store, metric=m)} for m in (None, "loss", None)]

    newest, oldest = store.points()
    assert (newest.judged_by, newest.point.accuracy.name, newest.point.accuracy.best) == ("metric", "loss", "lowest")
    assert (oldest.judged_by, oldest.point.accuracy.name) == ("labels", "accuracy")
    assert names == [{"accuracy"}, {"loss"}, {"accuracy"}]
    assert all(c.from_store for c in ex.run(scan, MODEL, data, store=store, metric="loss"))
    old = record_of(oldest.point, MODEL, data, split="tune", kind="sweep").stored()
    for name in ("accuracy", "drop", "loss"):
        del old[name]["best"]
    assert record_from(old, 1).point.accuracy.best is None
    own = list(ex.run(requests[0], MODEL, data, store=store, metric=surprise))
    assert own[0].accuracy.name == "surprise"
    assert len(store.points()) == 2


def test_every_command_that_measures_takes_a_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = {
        "scan": (["--levels", "0.9"], lambda printed: printed["cells"][0]["accuracy"]["name"]),
        "sweep": (["--sparsities", "0.5"], lambda printed: printed["points"][0]["accuracy"]["name"]),
        "search": (
            ["--max-drop", "2.5", "--evaluations", "1", "--mode", "exact"],
            lambda printed: printed["question"]["judged"],
        ),
        "recover": (["--sparsity", "0.9", "--epochs", "1"], lambda printed: printed["metrics"]["accuracy"]["name"]),
    }
    for command, (words, name) in commands.items():
        line = [command, "digits-mlp", *words, "--metric", "nll", "--data-dir", str(tmp_path / command)]
        assert main([*line, "--json"]) == 0, command
        printed = json.loads(capsys.readouterr().out)
        assert name(printed) in ("nll", "negative log-likelihood"), command
        assert main(line) == 0, command
        assert "Δ n" in capsys.readouterr().out, command


def test_headlines_are_those_of_the_labels() -> None:
    keys = [metric.key for metric in headlines(TUNE, 10)]
    assert keys[0] == "accuracy"
    assert {"loss", "brier", "ece", "balanced_accuracy"} <= set(keys)
    assert headlines(Split("tune", TUNE.x, None), 10) == ()
    numbers = [metric.key for metric in headlines(Split("tune", TUNE.x, torch.rand(len(TUNE))), 1)]
    assert numbers == ["r2", "mae"]


def test_a_link_carries_the_metric_and_one_that_is_none_is_left_out() -> None:
    work = Workspace(source=Source(metric="loss"))
    assert links.restore(links.parameters_of(work))[0].source == work.source
    assert links.restore({"metric": "nothing"})[0].source.metric is None
    assert "metric" not in links.parameters_of(Workspace())
    assert asdict(Source())["metric"] is None
