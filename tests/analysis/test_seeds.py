"""Several seeds are one curve: means and spreads written out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.analysis.comparison.seeds import curves_of, is_a_curve, levels, unseeded
from tests.analysis.measured_points import point


def test_seeds_of_a_level_are_one_mean_with_its_spread_written_out_by_hand() -> None:
    found = levels([point(2, a, seed=s) for s, a in enumerate((0.5, 0.8, 0.2))] + [point(4, 0.3)])
    assert [level.n_seeds for level in found] == [3, 1]
    assert found[0].accuracy == pytest.approx(0.5)
    assert found[0].spread == (0.2, 0.8)
    assert found[0].deviation == pytest.approx(0.3)
    assert found[0].drop == pytest.approx(0.48)
    assert found[0].middle.seed == 0


def test_one_seed_has_no_spread_but_the_interval_of_its_measurement() -> None:
    (level,) = levels([point(4, 0.3)])
    assert level.deviation is None
    assert level.band == (pytest.approx(0.28), pytest.approx(0.31))
    several = levels([point(4, 0.3), point(4, 0.5, seed=1)])[0]
    assert several.band == (0.3, 0.5)


def test_seeds_that_reach_a_ratio_at_other_sparsities_are_one_level() -> None:
    one, other = point(2, 0.5), replace(point(2, 0.7, seed=1), asked=0.61, sparsity=0.6, compression_ratio=2.1)
    (level,) = levels([one, other])
    assert level.to_json()["compression_ratio"] == pytest.approx(2.05)
    assert level.to_json()["asked_ratio"] == 2


def test_levels_asked_by_sparsity_are_told_apart_by_it() -> None:
    asked = [replace(point(2, 0.5, seed=s), asked_ratio=None, asked=a) for a in (0.5, 0.9) for s in (0, 1)]
    assert [level.asked for level in levels(asked)] == [("sparsity", 0.5), ("sparsity", 0.9)]


def test_levels_rise_in_compression_and_a_seed_counts_once() -> None:
    found = levels([point(4, 0.3), point(2, 0.5), point(4, 0.9)])
    assert [(level.accuracy, level.n_seeds) for level in found] == [(0.5, 1), (0.3, 1)]


def test_another_setting_of_the_same_seed_is_another_level() -> None:
    one, other = point(4, 0.3), replace(point(4, 0.9), spec={"allocation": {"key": "per_layer"}})
    assert [level.n_seeds for level in levels([one, other])] == [1, 1]


def test_seeds_of_training_are_seeds_too() -> None:
    trained = [point(4, a, protocol={"epochs": 2, "seed": s}) for s, a in enumerate((0.9, 0.8))]
    assert levels(trained)[0].n_seeds == 2


def test_five_operating_points_are_a_curve_and_the_dense_model_is_none() -> None:
    four = [point(r, 0.5, seed=s) for r in (1, 2, 3, 4, 5) for s in (0, 1)]
    assert not is_a_curve(four)
    assert is_a_curve([*four, point(6, 0.4)])


def test_points_of_any_origin_become_curves_by_what_differs_beside_level_and_seed() -> None:
    tuned = {"epochs": 5, "optimiser": ["adamw"], "data": {"digest": "d"}}
    points = [
        point(4, 0.3),
        point(2, 0.5, seed=1),
        point(2, 0.9, key="lp_norm"),
        point(2, 0.95, key="lp_norm", protocol=tuned | {"seed": 0, "mask_digest": "a"}),
        point(4, 0.94, key="lp_norm", protocol=tuned | {"seed": 1, "mask_digest": "b"}),
    ]
    found = curves_of(points, lambda p: p.label)
    assert [(c.label, [p.compression_ratio for p in c.points]) for c in found] == [
        ("random", [2, 4]),
        ("lp_norm", [2]),
        ("lp_norm", [2, 4]),
    ]


def test_a_layer_called_seed_keeps_its_limit() -> None:
    spec = {"criterion": {"key": "random", "seed": 3}, "limits": {"seed": {"locked": True}}}
    assert unseeded(spec) == {"criterion": {"key": "random"}, "limits": {"seed": {"locked": True}}}
