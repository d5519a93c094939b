"""Schedules are the formulas of their papers, and never take back what they pruned."""

from __future__ import annotations

import itertools
import warnings

import pytest
import torch

from explorer.errors import ExplorerError
from explorer.recovery.schedules import SPARSITY_SCHEDULES, momentum_at, rate_at, sparsities, sparsity_at
from tests.every import for_each


def test_the_cubic_is_equation_one_of_zhu_and_gupta() -> None:
    # s_t = s_f + (s_i - s_f) (1 - (t - t0) / (n dt))^3 with t0 = 10, n = 8, dt = 5, from 0.1 to 0.9
    for t in range(10, 51, 5):
        expected = 0.9 + (0.1 - 0.9) * (1 - (t - 10) / (8 * 5)) ** 3
        assert sparsity_at("cubic", (t - 10) / 40, 0.9, 0.1) == pytest.approx(expected, abs=1e-12)


def test_the_geometric_one_takes_the_same_share_of_what_is_left_each_time() -> None:
    levels = (0.0, *sparsities("geometric", 4, 0.9375))
    assert [round((1 - b) / (1 - a), 12) for a, b in itertools.pairwise(levels)] == [0.5] * 4


def test_the_linear_one_is_a_straight_line_and_the_constant_one_is_there_at_once() -> None:
    assert sparsities("linear", 4, 0.8) == pytest.approx((0.2, 0.4, 0.6, 0.8))
    assert sparsities("constant", 3, 0.8) == (0.8, 0.8, 0.8)


def test_one_cycle_is_slow_then_fast_then_slow() -> None:
    levels = [sparsity_at("one_cycle", t / 100, 0.9) for t in range(101)]
    rises = [b - a for a, b in itertools.pairwise(levels)]
    assert levels[0] == 0.0
    assert levels[-1] == 0.9
    assert max(rises) > 5 * max(rises[0], rises[-1])


@pytest.mark.parametrize("schedule", SPARSITY_SCHEDULES)
def test_sparsity_never_falls_and_ends_exactly_where_it_was_asked_to(schedule: str) -> None:
    levels = [sparsity_at(schedule, t / 50, 0.93, 0.2) for t in range(51)]
    assert all(b >= a for a, b in itertools.pairwise(levels))
    assert levels[-1] == sparsity_at(schedule, 7.0, 0.93, 0.2) == 0.93
    assert levels[0] == (0.93 if schedule == "constant" else pytest.approx(0.2))


@pytest.mark.parametrize(("schedule", "low", "high"), [("steep", 0.0, 0.5), ("linear", 0.6, 0.5), ("linear", 0.0, 1.5)])
def test_what_is_no_schedule_is_refused(schedule: str, low: float, high: float) -> None:
    with pytest.raises(ExplorerError):
        sparsity_at(schedule, 0.5, high, low)


def test_the_one_cycle_rate_and_momentum_are_those_of_torch() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([parameter], lr=0.01)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, 75, pct_start=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for step in range(75):
            assert rate_at("one_cycle", step, 75, 0.01) == optimiser.param_groups[0]["lr"]
            assert momentum_at("one_cycle", step, 75, 0.9) == optimiser.param_groups[0]["betas"][0]
            theirs.step() if step < 74 else None


def test_the_cosine_falls_from_the_peak_and_constant_stays() -> None:
    assert rate_at("cosine", 0, 10, 0.2) == 0.2
    assert rate_at("cosine", 5, 10, 0.2) == pytest.approx(0.1)
    assert {rate_at("constant", step, 10, 0.2) for step in range(10)} == {0.2}


@for_each("n_steps", [1, 2, 9, 10, 11, 20])
def test_a_very_short_training_has_a_rate_as_well(n_steps: int) -> None:
    assert all(0 < rate_at("one_cycle", step, n_steps, 0.1) <= 0.1 + 1e-12 for step in range(n_steps))
