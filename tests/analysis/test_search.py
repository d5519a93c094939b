"""Search under a budget: against brute force, never below global pruning, and plain words where it cannot be."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
import torch

from explorer.analysis.search.families import Planner, front_of, savings
from explorer.analysis.search.front import Front, Option, front
from explorer.analysis.search.question import Question
from explorer.analysis.search.result import sentences_of
from explorer.analysis.search.search import SearchResult, Tried, search
from explorer.analysis.sensitivity.scan import Sensitivity, scan
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.metrics.macs import macs
from explorer.metrics.size import compression_ratio
from explorer.pruning.allocation import Global, PerLayer
from explorer.pruning.allocation.curves import Curve
from explorer.pruning.plan import plan
from explorer.pruning.scoring import score
from explorer.pruning.spec import Limit, PruneSpec
from explorer.tasks.search import SearchRequest
from explorer.text.numbers import percent
from explorer.types import Dataset, LoadedModel, Split
from tests.analysis.scans import small
from tests.every import for_each

LEVELS = (0.5, 0.8)


def asked(model: LoadedModel, data: Dataset, spec: PruneSpec | None = None, **how: Any) -> SearchResult:
    found = SearchResult.of(search(model, data, spec, **how))
    assert found is not None
    return found


def combinations(model: LoadedModel, data: Dataset) -> list[tuple[float, float, tuple[float, ...]]]:
    """(parameters left, drop, shares) of every combination of LEVELS on the three layers of digits-mlp."""
    evaluator, out = Evaluator(model, data.splits["tune"]), []
    for shares in product((0.0, *LEVELS), repeat=3):
        spec = PruneSpec(allocation=PerLayer(0.0, tuple(zip(("fc1", "fc2", "fc3"), shares, strict=True))))
        ours = plan(model, spec)
        kept = model.n_parameters / compression_ratio(model, ours).value
        out.append((round(kept), evaluator.final(ours).drop.value, shares))
    return out


def random_tables(generator: torch.Generator, n_groups: int) -> dict[str, list[Option]]:
    rows = torch.rand(n_groups, 4, 2, generator=generator, dtype=torch.float64).tolist()
    return {
        f"k{i}": [Option(0.0, 0.0, 0.0), *(Option(j / 4, s, h) for j, (s, h) in enumerate(row, 1))]
        for i, row in enumerate(rows)
    }


def of_shares(tables: dict[str, list[Option]], shares: dict[str, float]) -> tuple[float, float]:
    chosen = [next(o for o in tables[name] if o.share == share) for name, share in shares.items()]
    return sum(o.saving for o in chosen), sum(o.harm for o in chosen)


def at_least(best: Front, saving: float) -> int | None:
    """The combination of least harm that saves this much, or None."""
    index = int(torch.searchsorted(best.savings, saving * (1 - 1e-12)))
    return index if index < len(best) else None


def test_the_front_equals_brute_force_on_random_tables() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        tables = random_tables(generator, 4)
        sums = [(sum(o.saving for o in c), sum(o.harm for o in c)) for c in product(*tables.values())]
        best = front(tables)
        for goal in torch.rand(8, generator=generator, dtype=torch.float64).mul(3).tolist():
            index = at_least(best, goal)
            oracle = min((harm for saving, harm in sums if saving >= goal), default=None)
            assert (None if index is None else float(best.harms[index])) == pytest.approx(oracle)
            most = max(saving for saving, harm in sums if harm <= goal)
            assert float(best.savings[best.within(goal)]) == pytest.approx(most)


def test_the_shares_of_a_combination_make_its_saving_and_its_harm() -> None:
    tables = random_tables(torch.Generator().manual_seed(1), 6)
    best: Front = front(tables)
    assert len(best) > 10
    for index in range(len(best)):
        assert of_shares(tables, best.shares(index)) == pytest.approx(
            (float(best.savings[index]), float(best.harms[index]))
        )
    assert bool((best.savings.diff() > 0).all())
    assert bool((best.harms.diff() > 0).all())


def test_a_thinned_front_keeps_its_promises_and_is_close_to_the_whole_one() -> None:
    tables = {
        name: [Option(o.share, o.saving, o.saving**2 * (1 + 0.1 * o.harm)) for o in table]
        for name, table in random_tables(torch.Generator().manual_seed(2), 12).items()
    }
    whole, thin = front(tables, most=10**6), front(tables, most=150)
    assert len(whole) > 2 * len(thin)
    for goal in (0.5, 1.5, 3.0, float(whole.savings[-1])):
        exact, near = at_least(whole, goal), at_least(thin, goal)
        assert exact is not None
        assert near is not None
        saving, harm = of_shares(tables, thin.shares(near))
        assert saving >= goal * (1 - 1e-9)
        assert float(whole.harms[exact]) <= harm + 1e-9 <= 1.1 * float(whole.harms[exact]) + 0.05


def test_the_predicted_best_of_a_scan_equals_brute_force_over_its_levels() -> None:
    model, data = small("digits-mlp")
    found = Sensitivity.of(scan(model, data, levels=LEVELS))
    curves = {k: Curve.smoothed((c.share, c.drop.value) for c in found.curve(k)) for k in found.groups}
    spec = PruneSpec()
    planner = Planner(
        model, data, spec, score(model, spec), lambda p: model.n_parameters / compression_ratio(model, p).value
    )
    best = front_of(savings(planner, {k: LEVELS for k in found.groups}), curves)
    every = product((0.0, *LEVELS), repeat=3)
    plans = [planner.plan(planner.of_shares(dict(zip(found.groups, row, strict=True)))) for row in every]
    sums = [sum(curves[k.group.name].cost(k.sparsity) for k in ours.groups) for ours in plans]
    kept = [planner.counted(ours) for ours in plans]
    for budget in (0.9, 0.6, 0.4, 0.25):
        index = at_least(best, (1 - budget) * model.n_parameters)
        assert index is not None
        oracle = min(total for total, cost in zip(sums, kept, strict=True) if cost <= budget * model.n_parameters)
        assert float(best.harms[index]) == pytest.approx(oracle)


@pytest.mark.parametrize("share", [0.5, 0.3])
def test_on_three_layers_the_search_equals_brute_force(share: float) -> None:
    model, data = small("digits-mlp")
    every = combinations(model, data)
    ours = asked(model, data, budget={"params": share}, levels=LEVELS, evaluations=42)
    oracle = min(drop for kept, drop, _ in every if kept <= share * model.n_parameters)
    of_levels = [t for t in ours.tried if t.by == "levels"]
    assert min(t.drop.value for t in ours.tried) == ours.best.drop.value <= oracle
    # A combination that an allocation had made already is not measured twice.
    n_possible = sum(kept <= share * model.n_parameters for kept, _, _ in every)
    assert n_possible - 3 <= len(of_levels) <= n_possible
    measured = {round(t.cost.value): t.drop.value for t in of_levels}
    assert measured == {kept: drop for kept, drop, _ in every if kept in measured}


def test_the_smallest_within_a_drop_is_no_larger_than_that_of_brute_force() -> None:
    model, data = small("digits-mlp")
    every = combinations(model, data)
    ours = asked(model, data, max_drop=0.02, levels=LEVELS, evaluations=42)
    assert ours.met
    assert ours.best.drop.value <= 0.02
    oracle = min(kept for kept, drop, _ in every if drop <= 0.02)
    assert ours.best.cost.value <= oracle
    assert min(t.cost.value for t in ours.tried if t.by == "levels" and t.meets) == oracle


@pytest.mark.parametrize(("budget", "unit"), [("params=0.4", "weight"), ("macs=0.3", "weight"), ("size=60%", "weight"),
                                              ("params=0.6", "out_channel"), ("macs=0.6", "out_channel")])  # fmt: skip
def test_the_answer_is_never_below_one_ranking_at_the_same_budget(budget: str, unit: str) -> None:
    model, data = small("digits-cnn")
    ours = asked(model, data, PruneSpec(unit), budget=budget, levels=(0.3, 0.6, 0.9), evaluations=16)
    assert ours.met
    assert all(t.meets for t in ours.tried)
    assert ours.best.drop.value <= ours.candidates["global"].drop.value
    assert {"global", "uniform", "erk", "sensitivity", "curves"} <= set(ours.candidates) | {"levels"}
    assert len(ours.tried) <= 16


def test_one_ranking_of_magnitudes_is_tried_whatever_the_criterion() -> None:
    model, data = small("digits-mlp")
    chance = PruneSpec("weight", "random:seed=1")
    ours = asked(model, data, chance, budget="params=0.3", levels=LEVELS, evaluations=9)
    magnitude = ours.candidates["magnitude"]
    assert magnitude.spec.criterion == PruneSpec().criterion
    assert isinstance(magnitude.spec.allocation, Global)
    assert ours.best.drop.value <= magnitude.drop.value


def test_the_counted_cost_is_that_of_the_plan_and_the_request_makes_it_again() -> None:
    model, data = small("digits-cnn")
    ours = asked(model, data, PruneSpec("out_channel"), budget="macs=0.7", levels=(0.5,), evaluations=5)
    again = plan(model, ours.best.spec)
    assert again.digest == ours.best.point.plan_digest
    assert ours.best.cost.value == macs(model, again)["removed"].value <= 0.7 * macs(model)["dense"].value
    assert ours.best.cost.origin == "counted"
    evaluated = Evaluator(model, data.splits["tune"]).final(again)
    assert evaluated.drop.value == ours.best.drop.value


def test_locks_floors_and_caps_hold_in_every_plan() -> None:
    model, data = small("digits-mlp")
    limits = {"fc1": Limit(locked=True, floor=0.5), "fc2": Limit(cap=0.4)}
    ours = asked(model, data, PruneSpec(limits=limits), budget="params=0.6", levels=LEVELS, evaluations=14)
    shares = [dict(t.shares) for t in ours.tried]
    assert all(s["fc1"] == pytest.approx(0.5, abs=1e-3) and s["fc2"] <= 0.4 for s in shares)


def test_a_budget_out_of_reach_is_told_with_the_nearest_plan() -> None:
    model, data = small("digits-cnn")
    ours = asked(model, data, PruneSpec("out_channel"), budget="params=0.01", levels=(0.5,))
    assert not ours.met
    assert [t.by for t in ours.tried] == ["least"]
    assert "cannot be met" in sentences_of(ours)[0]
    assert ours.best.cost.value > 0.01 * model.n_parameters


def test_an_answer_that_ruins_the_network_says_so_at_once() -> None:
    model, data = small("digits-mlp")
    result = asked(model, data, budget="params=0.01", evaluations=3)
    best = result.best
    assert best.drop.value > 0.5
    assert result.met
    reached = f"{percent(best.point.accuracy.value)} where the dense model has "
    warning = f"Warning: this network loses {100 * best.drop.value:.1f} points: {reached}"
    assert sentences_of(result)[1].startswith(warning)
    assert not [s for s in sentences_of(asked(model, data, max_drop=0.02, evaluations=3)) if s.startswith("Warning")]


def test_the_dense_model_is_no_plan_that_was_tried() -> None:
    model, data = small("digits-mlp")
    request = SearchRequest(Question(max_drop=0.02), evaluations=4)
    result = asked(model, data, max_drop=0.02, evaluations=4)
    assert len(result.tried) == request.n_plans == 5
    assert any(sentence.startswith("4 plans were measured") for sentence in sentences_of(result))


def test_where_nothing_may_be_lost_the_dense_model_is_an_answer() -> None:
    model, data = small("digits-mlp")
    ours = asked(model, data, max_drop=0.0, levels=(0.95,), evaluations=4)
    assert ours.met
    assert ours.tried[0].by == "dense"
    assert ours.best.drop.value <= 0.0


def test_a_time_is_measured_beside_the_dense_network_and_kept_to() -> None:
    model, data = small("digits-cnn", 60)
    ours = asked(model, data, PruneSpec("out_channel"), budget="latency=0.95", levels=(0.5,), evaluations=3)
    assert {t.cost.origin for t in ours.tried} == {"measured"}
    assert ours.best.cost.unit == "milliseconds"
    if ours.met:
        assert ours.best.cost.value <= 0.95 * ours.best.dense_cost


@for_each(
    ("spec", "how", "words"),
    [
        (PruneSpec(), {"budget": "latency=0.7"}, "Zeros save no time"),
        (PruneSpec("n_of_m"), {"budget": "latency=0.7"}, "Zeros save no time"),
        (PruneSpec(), {"max_drop": 0.01, "cost": "latency"}, "not sought by time"),
        (PruneSpec(), {}, "one question at a time"),
        (PruneSpec(), {"max_drop": 0.01, "budget": "params=0.5"}, "one question at a time"),
        (PruneSpec(), {"max_drop": 2.0}, "not possible"),
        (PruneSpec(), {"budget": "beauty=0.5"}, "not known"),
        (PruneSpec(), {"budget": "params=half"}, "no amount"),
        (PruneSpec(), {"budget": "params=12ms"}, "no amount"),
        (PruneSpec(), {"budget": "params=0"}, "no budget"),
        (PruneSpec(), {"budget": "params=120%"}, "no budget"),
        (PruneSpec(), {"budget": {"params": 0.5, "macs": 0.5}}, "one cost"),
        (PruneSpec(), {"budget": "params=0.5", "evaluations": 0}, "too few"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_measured(
    spec: PruneSpec, how: dict[str, Any], words: str
) -> None:
    model, data = small("digits-mlp", 20)
    with pytest.raises(ExplorerError, match=words):
        search(model, data, spec, **how)


@for_each(
    ("text", "limit", "absolute"),
    [
        ("params=0.2", 0.2, False),
        ("params=20%", 0.2, False),
        ("params=50000", 50_000, True),
        ("macs=1.5M", 1.5e6, True),
        ("size=100kB", 1e5, True),
        ("size=.5", 0.5, False),
        ("latency=0.4ms", 0.4, True),
        ("latency=0.4", 0.4, False),
    ],
)
def test_budgets_are_shares_or_amounts(text: str, limit: float, absolute: bool) -> None:
    question = Question.of(budget=text)
    assert (question.limit, question.absolute) == (pytest.approx(limit), absolute)
    assert question.ceiling(1000.0) == pytest.approx(limit if absolute else 1000 * limit)


def test_a_search_gives_the_same_plans_twice_and_is_json_able() -> None:
    model, data = small("digits-mlp")
    cells = list(scan(model, data, levels=LEVELS))

    def run() -> list[Tried]:
        return list(search(model, data, budget="params=0.3", cells=cells, evaluations=12))

    first, second = run(), run()
    assert [t.point.plan_digest for t in first] == [t.point.plan_digest for t in second]
    told = json.loads(json.dumps(SearchResult(first[0].question, tuple(first)).to_json(), allow_nan=False))
    assert told["asked"] == "the best accuracy with at most 30% of the dense parameters"
    assert PruneSpec.from_json(told["best"]["spec"]) == SearchResult(first[0].question, tuple(first)).best.spec
    assert len(told["tried"]) == len(first)


def test_predictions_are_corrected_by_what_was_measured() -> None:
    model, data = small("digits-cnn")
    tried = list(search(model, data, budget="params=0.35", levels=(0.3, 0.6, 0.9), evaluations=12))
    assert tried[0].predicted is not None
    assert tried[0].predicted.note == "Sum of the single drops."
    assert "as measured so far" in tried[-1].predicted.note  # type: ignore[union-attr]
    assert all(t.predicted.origin == "estimated" for t in tried if t.predicted)


def test_units_that_the_model_does_not_have_are_refused_with_the_reason() -> None:
    model, data = small("digits-mlp", 20)
    with pytest.raises(ExplorerError, match="Not one head of this model can go"):
        next(search(model, data, PruneSpec("head"), budget="params=0.5"))


def test_within_a_drop_every_allocation_is_tried_where_the_curves_ended() -> None:
    model, data = small("digits-cnn")
    ours = asked(model, data, max_drop=0.02, levels=(0.3, 0.6, 0.9), evaluations=24)
    assert {"global", "uniform", "erk", "sensitivity", "curves"} <= set(ours.candidates)
    assert all(ours.best.cost.value <= t.cost.value for t in ours.tried if t.meets)


def test_without_labels_the_answer_is_judged_by_agreement() -> None:
    model, data = small("digits-mlp")
    unlabelled = Dataset("tiny", {"tune": Split("tune", data.splits["tune"].x, None)}, (), "no labels")
    ours = asked(model, unlabelled, budget="params=0.4", levels=LEVELS, evaluations=8)
    assert ours.met
    assert ours.best.point.accuracy.name == "agreement"
    assert ours.best.drop.value <= ours.candidates["global"].drop.value
