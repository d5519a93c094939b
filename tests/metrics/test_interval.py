"""Intervals against published examples, against scipy, and against arithmetic by hand."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import binomtest

from explorer.metrics.interval import Z_95, normal_mean, paired_difference, wilson
from tests.every import for_each


@for_each(("n_true", "n"), [(0, 10), (1, 10), (8, 10), (10, 10), (1627, 2000), (1, 1)])
def test_wilson_is_the_interval_that_scipy_computes(n_true: int, n: int) -> None:
    wanted = binomtest(n_true, n).proportion_ci(0.95, method="wilson")
    assert wilson(n_true, n) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_wilson_of_eight_in_ten_worked_by_hand() -> None:
    # (0.8 + 3.8415 / 20) / 1.38415 = 0.716742; 1.95996 / 1.38415 * sqrt(0.016 + 0.0096036) = 0.226577
    assert wilson(8, 10) == pytest.approx((0.490165, 0.943319), abs=1e-5)


def test_nothing_is_known_from_no_samples() -> None:
    assert wilson(0, 0) == (0, 1)
    assert paired_difference(0, 0, 0) == (-1, 1)


def test_paired_difference_equals_the_example_of_the_statpsych_package() -> None:
    # ci.prop.ps(.05, f00=12, f01=4, f10=26, f11=6): LL 0.2548067, UL 0.6251933
    assert paired_difference(26, 4, 48) == pytest.approx((0.2548067, 0.6251933), abs=1e-7)


def test_paired_difference_worked_by_hand_when_nothing_differs() -> None:
    # both cells (0 + 1) / 102: half width is z * sqrt((2 / 102) / 102)
    half = 1.959964 * math.sqrt(2) / 102
    assert paired_difference(0, 0, 100) == pytest.approx((-half, half), abs=1e-7)


@pytest.mark.parametrize("n", [1, 5, 1000])
def test_the_measured_difference_is_always_inside(n: int) -> None:
    for lost in range(0, n + 1, max(1, n // 5)):
        for won in range(0, n - lost + 1, max(1, n // 5)):
            low, high = paired_difference(lost, won, n)
            assert -1 <= low <= (lost - won) / n <= high <= 1


def test_the_mean_of_four_numbers_worked_by_hand() -> None:
    # mean 2.5, sample variance 5/3, half width z * sqrt(5/3) / 2
    half = Z_95 * math.sqrt(5 / 3) / 2
    assert normal_mean(torch.tensor([1.0, 2.0, 3.0, 4.0])) == pytest.approx((2.5 - half, 2.5 + half))


def test_a_mean_of_one_value_or_with_nan_has_no_interval() -> None:
    assert normal_mean(torch.tensor([1.0])) is None
    assert normal_mean(torch.tensor([1.0, math.nan])) is None
