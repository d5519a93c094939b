"""How often a check is wrong, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.analysis.check.statistics import beyond_margin, holm, paired_score, score
from explorer.metrics.interval import Z_95

DRAWS = 2000


def drawn(lost: float, won: float, n: int, seed: int) -> np.ndarray:
    """(DRAWS, 2) counts of right to wrong and wrong to right."""
    return np.random.default_rng(seed).multinomial(n, [lost, won, 1 - lost - won], DRAWS)[:, :2]


@pytest.mark.slow
def test_a_candidate_at_the_margin_passes_in_at_most_three_and_a_half_of_a_hundred_draws() -> None:
    for n in (450, 2000, 10_000):
        for discordant in (0.012, 0.02, 0.05, 0.1):
            counts = drawn((discordant + 0.01) / 2, (discordant - 0.01) / 2, n, seed=n)
            passed = np.mean([paired_score(int(b), int(c), n).high <= 0.01 for b, c in counts])
            assert passed <= 0.035, (n, discordant, passed)


@pytest.mark.slow
def test_an_equal_candidate_fails_in_at_most_one_of_a_hundred_draws() -> None:
    for n in (450, 2000, 10_000):
        for discordant in (0.0, 0.02, 0.1):
            counts = drawn(discordant / 2, discordant / 2, n, seed=n)
            failed = np.mean([paired_score(int(b), int(c), n).low > 0.01 for b, c in counts])
            assert failed <= 0.01, (n, discordant, failed)


@pytest.mark.slow
def test_holm_holds_a_family_of_classes_that_are_all_at_their_margin() -> None:
    n, margin, n_classes = 200, 0.05, 20
    counts = np.random.default_rng(3).multinomial(n, [0.1, 0.05, 0.85], (DRAWS, n_classes))[:, :, :2]
    alarms = 0
    for family in counts:
        p_values = [beyond_margin(int(b), int(c), n, margin) for b, c in family]
        alarms += min(holm(p_values)) <= 0.025
    assert alarms / DRAWS <= 0.035


def test_the_test_at_the_margin_is_the_interval_that_ends_there() -> None:
    counts = drawn(0.02, 0.01, 2000, seed=1)[:200]
    for b, c in counts:
        by_test = float(score(int(b), int(c), 2000, 0.01)) <= -Z_95
        assert by_test == (paired_score(int(b), int(c), 2000).high <= 0.01)
