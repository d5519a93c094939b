"""The statistics of checks against outside judges: scipy's optimiser, statsmodels, scikit-learn, arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_of_statsmodels
from statsmodels.stats.multitest import multipletests

from explorer.analysis.check.calibration import chance_band, ece, ece_equal_mass
from explorer.analysis.check.statistics import (
    auroc,
    beyond_margin,
    holm,
    mcnemar,
    mean_interval,
    paired_score,
    samples_needed,
    score,
    smallest_margin,
)
from tests.analysis.check.two_models import evidence_of, usual


def test_mcnemar_is_that_of_statsmodels() -> None:
    for lost, won in ((0, 0), (1, 0), (12, 3), (46, 27), (3, 300)):
        expected = mcnemar_of_statsmodels([[900, lost], [won, 50]], exact=True).pvalue if lost + won else 1.0
        assert mcnemar(lost, won) == pytest.approx(expected, rel=1e-9)


def test_holm_is_that_of_statsmodels() -> None:
    random = np.random.default_rng(0)
    for n in (1, 2, 10, 100):
        p_values = random.random(n) ** 3
        assert holm(p_values.tolist()) == pytest.approx(multipletests(p_values, method="holm")[1].tolist(), rel=1e-12)


def test_the_score_statistic_is_that_of_the_likeliest_shares_under_the_margin() -> None:
    """The restricted estimate by an optimiser that knows nothing of the closed form."""
    for lost, won, n, difference in ((12, 3, 450, 0.01), (5, 9, 100, 0.05), (40, 40, 2000, -0.01)):

        def unlikely(won_share: float, counts: tuple[int, int, int], by: float) -> float:
            b, c, total = counts
            both = 1 - 2 * won_share - by
            return -(b * math.log(won_share + by) + c * math.log(won_share) + (total - b - c) * math.log(both))

        low = max(0.0, -difference) + 1e-12
        best = optimize.minimize_scalar(
            unlikely, bounds=(low, (1 - difference) / 2 - 1e-12), args=((lost, won, n), difference), method="bounded",
            options={"xatol": 1e-12},
        ).x  # fmt: skip
        variance = n * (2 * best + difference - difference**2)
        expected = (lost - won - n * difference) / math.sqrt(variance)
        assert float(score(lost, won, n, difference)) == pytest.approx(expected, rel=1e-4)


def test_the_ends_of_the_interval_are_where_the_score_test_turns() -> None:
    for lost, won, n in ((0, 0, 450), (1, 0, 450), (12, 3, 450), (200, 180, 10_000)):
        low, high = paired_score(lost, won, n)
        assert low <= (lost - won) / n <= high
        assert beyond_margin(lost, won, n, low) == pytest.approx(0.025, abs=1e-6)
        assert beyond_margin(lost, won, n, high) == pytest.approx(0.975, abs=1e-6)
    assert paired_score(0, 0, 450).high == pytest.approx(1.959964**2 / (450 + 1.959964**2), rel=1e-5)
    assert paired_score(0, 0, 0) == (-1.0, 1.0)
    assert paired_score(7, 0, 7).high == 1.0


def test_samples_that_a_margin_of_one_point_needs() -> None:
    """80 % power: about 1,753 samples where 2 % of the answers differ, 1,001 at 1 %, 4,059 at 5 %."""
    for discordant, n in ((0.01, 1001), (0.02, 1753), (0.05, 4059)):
        assert samples_needed(discordant, 0.01) == pytest.approx(n, rel=0.05)
        assert smallest_margin(discordant, n) == pytest.approx(0.01, rel=0.07)


def test_likelihood_brier_and_auroc_are_those_of_scikit_learn() -> None:
    p, labels = usual()
    side = evidence_of(p, p, labels).pair.candidate
    assert float(side.nll.mean()) == pytest.approx(log_loss(labels, p), rel=1e-9)
    each = [brier_score_loss(labels == c, p[:, c]) for c in range(p.shape[1])]
    assert float(side.brier.mean()) == pytest.approx(sum(each), rel=1e-9)
    random = np.random.default_rng(0)
    truth = random.random(500) < 0.3
    scores = np.round(random.random(500) + 0.3 * truth, 2)  # with ties
    assert auroc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), rel=1e-12)
    assert math.isnan(auroc(scores, np.ones(500, dtype=bool)))


def test_kl_is_its_sum_by_hand_and_nothing_between_equals() -> None:
    one, other = np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.25, 0.25]])
    expected = sum(p * math.log(p / q) for p, q in zip(one[0], other[0], strict=True))
    assert float(evidence_of(one, other, [0]).pair.kl) == pytest.approx(expected, rel=1e-9)
    assert float(evidence_of(one, one, [0]).pair.kl) == 0.0


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    assert ece(confidence, right) == pytest.approx(4 / 6 * 0.2 + 2 / 6 * 0.05)
    assert ece_equal_mass(np.full(30, 0.8), np.r_[np.ones(15), np.zeros(15)]) == pytest.approx(
        (7 * 0.4 + 0.6 + 7 * 1.6) / 30
    )


def test_a_perfectly_calibrated_model_lies_in_its_band() -> None:
    random = np.random.default_rng(1)
    confidence = random.uniform(0.3, 1, 450)
    band = chance_band(confidence, seed=0)
    assert len(band) == 200
    assert 0.03 < band.mean() < 0.08  # at 450 samples chance alone shows several points
    own = [ece(confidence, (random.random(450) < confidence).astype(float)) for _ in range(200)]
    assert np.mean(np.array(own) > np.quantile(band, 0.95)) < 0.1


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(2)
    ends = [mean_interval(random.normal(size=20)) for _ in range(1000)]
    covered = np.mean([e is not None and e.low <= 0 <= e.high for e in ends])
    assert 0.93 < covered < 0.97
    assert mean_interval(np.array([1.0])) is None
    assert mean_interval(np.array([1.0, np.nan])) is None
