"""A comparison is decided once: what is measured for it, and what may be concluded, whoever asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

import explorer as ex
from explorer.analysis.comparison.comparison import Comparison
from explorer.errors import ExplorerError
from explorer.pruning import criteria
from explorer.pruning.criteria import CRITERIA
from explorer.pruning.level import with_sparsity
from explorer.pruning.spec import Limit, PruneSpec
from explorer.types import Measurement, TradeOffPoint

LIMITS = {"fc1": Limit(floor=0.1, cap=0.9)}


def of(*methods: PruneSpec, **options: Any) -> Comparison:
    return Comparison.of(ex.load("digits-mlp"), ex.load_data("digits"), methods, **options)


def spec(criterion: str, allocation: str = "global", unit: str = "weight", limits: Any = ()) -> PruneSpec:
    return PruneSpec(unit, criterion, allocation, limits)  # type: ignore[arg-type]


def measured(request: PruneSpec, accuracy: float, ratio: float = 8.0) -> TradeOffPoint:
    share = Measurement("accuracy", accuracy, "fraction", "measured", n=450)
    drop = Measurement("drop", 0.98 - accuracy, "fraction", "measured", n=450)
    at = with_sparsity(request, 1 - 1 / ratio).to_json()
    return TradeOffPoint(at, "", 1 - 1 / ratio, 1 - 1 / ratio, ratio, ratio, 1, share, drop, asked_ratio=ratio)


def fed(comparison: Comparison, accuracies: dict[str, float]) -> Comparison:
    """Every request measured at 8x, with an accuracy for each criterion and allocation."""
    names = ((r.spec, f"{r.spec.criterion.key} {r.spec.allocation.key}") for r in comparison.requests())
    return comparison.with_points(measured(request, accuracies[name]) for request, name in names)


def test_a_control_differs_from_its_method_in_the_criterion_alone() -> None:
    methods = [
        spec("lamp", limits=LIMITS),
        spec("lamp", "uniform"),
        spec("geometric_median", "uniform", "out_channel", {"fc1": Limit(locked=True)}),
        spec("lp_norm", "erk"),
    ]
    comparison = of(*methods, seeds=(3, 5))
    assert [(pair.method.spec.criterion.key, pair.control.spec.criterion.key) for pair in comparison.pairs] == [
        ("lamp", "random"),
        ("lamp", "lp_norm"),
        ("lamp", "random"),
        ("lamp", "lp_norm"),
        ("geometric_median", "random"),
        ("geometric_median", "lp_norm"),
        ("lp_norm", "random"),
    ]
    for method, control, _ in comparison.pairs:
        assert replace(control.spec, criterion=method.spec.criterion) == method.spec
        assert [getattr(s.criterion, "seed", None) for s in control.specs] in ([3, 5], [None])


def test_what_is_compared_as_a_method_is_no_second_curve_as_a_control() -> None:
    comparison = of(spec("lamp"), spec("lp_norm"), spec("lamp", "uniform"))
    controls = [(m.spec.criterion.key, m.spec.allocation.key) for m in comparison.compared if m.is_control]
    assert controls == [("random", "global"), ("random", "uniform"), ("lp_norm", "uniform")]
    assert len({request.spec for request in comparison.requests()}) == len(comparison.requests()) == 3 + 3 + 3 + 1


def test_one_method_at_two_levels_is_one_curve() -> None:
    assert (
        of(spec("lamp", "global:sparsity=0.5"), spec("lamp", "global:sparsity=0.8")).methods == of(spec("lamp")).methods
    )


def test_every_criterion_that_draws_by_chance_is_one_curve_of_all_its_seeds() -> None:
    chosen = [key for key in CRITERIA.members if not CRITERIA.member(key).needs or key == "movement"]
    methods = of(*(PruneSpec(criterion=criteria.get(key)) for key in chosen)).compared
    drawn = {m.spec.criterion.key: [s.to_json()["criterion"]["seed"] for s in m.specs] for m in methods if m.is_seeded}
    assert drawn == {"movement": [0, 1, 2], "random": [0, 1, 2]}
    assert all(len(method.specs) == 1 for method in methods if not method.is_seeded)


def test_the_classifier_is_locked_in_everything_or_by_nobody() -> None:
    assert all(request.spec.limit("fc3").locked for request in of(spec("lamp", limits=LIMITS)).requests())
    free = of(spec("lamp"), lock_classifier=False)
    assert not any(request.spec.limits for request in free.requests())
    assert "The classifier fc3 is free to be pruned" in free.scope()
    assert "The classifier fc3 is locked" in of(spec("lamp")).scope()


def test_points_of_the_requests_are_told_apart_and_all_others_left_out() -> None:
    comparison = of(spec("lamp"), seeds=(0, 1))
    own = [measured(request.spec, 0.9) for request in comparison.requests()]
    others = [measured(spec("lamp", limits=LIMITS), 0.1), replace(own[0], protocol={"epochs": 5})]
    filled = comparison.with_points([*reversed(own), *others])
    assert [len(curve.points) for curve in filled.curves] == [1, 2, 1]
    assert len(filled.records()) == 4


def test_the_most_accurate_method_comes_first_beside_the_controls_of_its_own_allocation() -> None:
    accuracies = {"lamp global": 0.9, "lamp uniform": 0.7, "random global": 0.5, "random uniform": 0.1}
    accuracies |= {"lp_norm global": 0.9, "lp_norm uniform": 0.8}
    comparison = fed(of(spec("lamp", "uniform"), spec("lamp")), accuracies)
    assert comparison.ratios() == (8,)
    assert [(v.first, v.second, round(v.difference, 3)) for v in comparison.verdicts(8)] == [
        ("LAMP (global)", "random (global)", 0.4),
        ("LAMP (global)", "magnitude (global)", 0.0),
        ("LAMP (uniform)", "random (uniform)", 0.6),
        ("LAMP (uniform)", "magnitude (uniform)", -0.1),
    ]
    first, second = comparison.sentences(8)
    assert first.startswith("LAMP (global) is better than random (global) by 40.0 ± ")
    assert ". It is no better than magnitude (global) at 8× (0.0 ± " in first
    assert ". It is worse than magnitude (uniform) by 10.0 ± " in second
    reached = [(row.method.label, row.accuracy) for row in comparison.reach(0.2)]
    assert reached == [("global", 0.9), ("magnitude, global", 0.9), ("magnitude, uniform", 0.8)]


def test_the_verdict_is_about_the_furthest_size_within_the_budget() -> None:
    comparison = of(spec("lp_norm"), seeds=(0,))
    (own, chance) = (request.spec for request in comparison.requests())
    points: Iterable[TradeOffPoint] = (
        measured(request, accuracy, ratio)
        for ratio, accuracy in ((2.0, 0.98), (4.0, 0.975), (8.0, 0.6))
        for request in (own, chance)
    )
    filled = comparison.with_points(points)
    assert (filled.furthest(0.01), filled.furthest(0.5), filled.furthest(-1)) == (4, 8, 2)
    assert comparison.furthest() is None


def test_methods_that_differ_in_anything_have_names_of_their_own() -> None:
    methods = [spec("lamp"), spec("lamp", limits=LIMITS), spec("lp_norm:p=1", unit="out_channel")]
    compared = of(*methods, spec("lp_norm", unit="out_channel")).compared
    own = [method.name for method in compared if not method.is_control]
    assert len(set(own)) == len({method.label for method in compared if not method.is_control}) == 4
    assert own[2] == "Magnitude, p=1 (channels, global)"


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    for options in ({"seeds": (1, 1)}, {}):
        with pytest.raises(ExplorerError):
            of(*([spec("lamp")] if options else []), **options)
    with pytest.raises(ExplorerError, match="no overall sparsity"):
        of(spec("lamp", "threshold:value=0.1"))


def test_each_pair_is_judged_at_every_size_and_the_control_says_its_allocation() -> None:
    comparison = of(spec("lamp"), spec("lamp", "uniform"), seeds=(0,))
    accuracies = {2.0: 0.97, 4.0: 0.95, 8.0: 0.1}
    points = [
        measured(request.spec, accuracies[ratio] if request.spec.criterion.key == "lamp" else 0.1, ratio)
        for request in comparison.requests()
        for ratio in accuracies
    ]
    over = comparison.with_points(points).over_sizes()
    assert len(over) == len(comparison.pairs)
    assert any(
        text.endswith("(global) against random (global): better from 2× to 4×, no better at 8×.") for text in over
    )
    assert any("(uniform) against magnitude (uniform): " in text for text in over)
    assert not any("(uniform) against random (global)" in text for text in over)
