"""A verdict claims what the intervals allow: published and hand-made numbers as the oracle."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from explorer.analysis.comparison.seeds import Level, levels
from explorer.analysis.comparison.verdict import compared, interval, telling, verdict
from tests.analysis.measured_points import curve, point


def level(*accuracies: float, n: int = 450, ratio: float = 8) -> Level:
    return levels([point(ratio, a, seed=s, n=n) for s, a in enumerate(accuracies)])[0]


def test_the_interval_is_newcombes_in_his_own_example() -> None:
    # Table II (a), 56/70 against 48/80 by method 10: 0.0524 to 0.3339.
    found = verdict("new", level(56 / 70, n=70), "old", level(48 / 80, n=80))
    assert found.difference == pytest.approx(0.2)
    assert found.margin == pytest.approx(0.2 - 0.0524, abs=1e-4)
    other = verdict("old", level(48 / 80, n=80), "new", level(56 / 70, n=70))
    assert (other.difference, other.margin) == (pytest.approx(-0.2), pytest.approx(found.margin))


def test_a_clear_difference_is_said_in_one_line() -> None:
    # Wilson of 405 of 450: 0.868806 to 0.924422; of 45 of 450 the mirror image. Longer arm: sqrt(2) * 0.031194.
    found = verdict("magnitude", level(0.9), "random", level(0.1))
    assert found.margin == pytest.approx(math.sqrt(2) * 0.031194, abs=1e-5)
    assert found.sentence == "magnitude is better than random by 80.0 ± 4.4 points at 8×"
    assert verdict("random", level(0.1), "magnitude", level(0.9)).sentence == (
        "random is worse than magnitude by 80.0 ± 4.4 points at 8×"
    )


def test_an_interval_that_holds_zero_is_no_better() -> None:
    found = verdict("a", level(0.91), "b", level(0.9))
    assert found.outcome == "no better"
    assert found.sentence.startswith("a is no better than b at 8× (+1.0 ± ")
    assert verdict("b", level(0.9), "a", level(0.91)).sentence.startswith("b is no better than a at 8× (−1.0 ± ")


def test_seeds_widen_the_interval_by_students_t_written_out_by_hand() -> None:
    # Mean 0.2, deviation 0.1: t(2) = 4.303, so 0.248434; Wilson of 20 of 100: 0.133367 to 0.288829.
    low, high = interval(level(0.1, 0.2, 0.3, n=100))
    assert low == 0.0
    assert high == pytest.approx(0.2 + math.hypot(0.088829, 0.248434), abs=1e-5)
    # More seeds of one network do not make the samples more.
    assert interval(level(0.2, 0.2, 0.2, n=100)) == pytest.approx((0.133367, 0.288829), abs=1e-5)


def test_only_pruned_levels_that_both_reached_are_compared() -> None:
    first = curve("a", *(point(r, 0.9) for r in (1, 2, 4, 8)))
    second = curve("b", point(1, 0.9), point(2, 0.5), point(3, 0.5), replace(point(8, 0.1), compression_ratio=5.0))
    assert [v.at for v in compared(first, second)] == [2]


def test_sparsities_that_were_asked_are_compared_at_the_ratio_that_they_reached() -> None:
    one, other = (replace(point(4, a), asked_ratio=None) for a in (0.9, 0.1))
    (found,) = compared(curve("a", one), curve("b", other))
    assert found.sentence.endswith("at 4×")


def test_the_telling_verdict_is_the_furthest_within_the_budget() -> None:
    first = curve("a", point(2, 0.98), point(4, 0.975), point(8, 0.6))
    second = curve("b", point(2, 0.9), point(4, 0.5), point(8, 0.1))
    found = compared(first, second)
    best = telling(first, found, 0.01)
    assert best is not None
    assert best.at == 4
    least = telling(first, found, -1.0)
    assert least is not None
    assert least.at == 2
    assert telling(first, (), 0.01) is None


def test_a_verdict_as_json_says_how_its_interval_was_made() -> None:
    found = verdict("a", level(0.9), "b", level(0.1, 0.2)).to_json()
    assert found["second_seeds"] == 2
    assert "independent" in found["interval"]
    assert found["outcome"] == "better"
