"""The statistics of paired answers: intervals, exact tests, and how many samples a decision needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from explorer.metrics.interval import Z_95, Interval

METHOD = "95 % score interval of a paired difference (Tango 1998)"
_Z_POWER = 0.8416212335729143  # the standard normal quantile at 0.8
_MOST_EXACT = 60  # discordant pairs; with more the normal approximation is as good
Counts = NDArray[np.float64] | NDArray[np.int64]


def score(lost: Counts | int, won: Counts | int, n: int, difference: float) -> NDArray[np.float64]:
    """Tango's score statistic of the hypothesis that the true drop is ``difference``; normal under it.

    Of ``n`` pairs ``lost`` were right before and wrong after, ``won`` the other way round.

    Source: Tango 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """
    b, c, d = np.asarray(lost, dtype=np.float64), np.asarray(won, dtype=np.float64), difference
    linear = -b - c + (2 * n - b + c) * d
    root = np.sqrt(np.maximum(linear**2 + 8 * n * c * d * (1 - d), 0))
    won_share = (root - linear) / (4 * n)
    variance = n * np.maximum(2 * won_share + d * (1 - d), 1e-300)
    return np.asarray((b - c - n * d) / np.sqrt(variance))


def paired_score(lost: int, won: int, n: int) -> Interval:
    """The 95 % score interval of the drop ``(lost - won) / n``; the measured drop is inside. -1..1 when n is 0."""
    if n == 0:
        return Interval(-1.0, 1.0)
    value, edge = (lost - won) / n, 1 - 1e-9

    def end(sign: int, far: float) -> float:
        def beyond(difference: float) -> float:
            return float(score(lost, won, n, difference)) + sign * Z_95

        if abs(value - far) < 1e-6 or beyond(value) * beyond(far) > 0:
            return math.copysign(1.0, far)
        return float(optimize.brentq(beyond, value, far, xtol=1e-12))

    return Interval(min(value, end(-1, -edge)), max(value, end(1, edge)))


def samples_needed(discordant: float, margin: float, power: float = 0.8) -> int:
    """How many samples show, with that power, that equal models with this share of discordant answers are not
    ``margin`` apart. Where few pairs are discordant, the score test's power is added up over all outcomes."""
    about = _about(max(discordant, 1e-4), margin)
    if about * discordant > _MOST_EXACT:
        return about
    low, high = max(2, about // 2), 2 * about
    while high - low > max(1, about // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, max(discordant, 1e-4), margin) >= power else (middle, high)
    return high


def smallest_margin(discordant: float, n: int) -> float:
    """The smallest margin that ``n`` samples decide in four of five cases, if the models are equal."""
    low, high = 1e-5, 0.999
    if n < 2 or _about(max(discordant, 1e-4), high) > n:
        return 1.0
    return float(optimize.brentq(lambda margin: _about(max(discordant, 1e-4), margin) - n, low, high, xtol=1e-5))


def _about(discordant: float, margin: float) -> int:
    """The same by the normal approximation, with the variance that the score test assumes at the margin."""
    linear = 2 * margin - discordant
    won_share = (math.sqrt(linear**2 + 4 * discordant * margin * (1 - margin)) - linear) / 4
    at_margin = 2 * won_share + margin * (1 - margin)
    return math.ceil(((Z_95 * math.sqrt(at_margin) + _Z_POWER * math.sqrt(discordant)) / margin) ** 2)


def _power(n: int, discordant: float, margin: float) -> float:
    lowest, highest = (int(stats.binom.ppf(q, n, discordant)) for q in (1e-7, 1 - 1e-7))
    pairs = np.arange(lowest, highest + 1)[:, None]
    lost = np.arange(highest + 1)[None, :]
    chance = stats.binom.pmf(pairs, n, discordant) * stats.binom.pmf(lost, pairs, 0.5)
    shown = score(lost, np.maximum(pairs - lost, 0), n, margin) <= -Z_95
    return float(chance[shown].sum())


def mcnemar(lost: int, won: int) -> float:
    """The exact two-sided p value of McNemar's test on the discordant pairs; 1 where there are none."""
    return float(stats.binomtest(lost, lost + won, 0.5).pvalue) if lost + won else 1.0


def beyond_margin(lost: int, won: int, n: int, margin: float) -> float:
    """The one-sided p value of "the true drop is at most ``margin``"."""
    return float(stats.norm.sf(score(lost, won, n, margin))) if n else 1.0


def below_margin(lost: int, won: int, n: int, margin: float) -> float:
    """The one-sided p value of "the true drop is at least ``margin``"."""
    return float(stats.norm.cdf(score(lost, won, n, margin))) if n else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p values adjusted for being looked at together: the family's chance of any false alarm stays what one's was.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def mean_interval(values: NDArray[np.float64]) -> Interval | None:
    """The 95 % interval of a mean by Student's t; None for fewer than two values or ones that are not finite."""
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Interval(float(values.mean()) - half, float(values.mean()) + half)


def ratio_interval(tops: NDArray[np.float64], bottoms: NDArray[np.float64]) -> tuple[float, Interval | None]:
    """The ratio of two paired means and its 95 % interval (linearised, Student's t); None for fewer than two."""
    if not len(tops) or not np.isfinite(tops).all() or not np.isfinite(bottoms).all() or bottoms.mean() == 0:
        return math.nan, None
    value = float(tops.mean() / bottoms.mean())
    around = mean_interval((tops - value * bottoms) / bottoms.mean())
    return value, None if around is None else Interval(value + around.low, value + around.high)


def auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """The area under the ROC curve: how often a positive sample scores above a negative one, ties counted half."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return math.nan
    ranks = stats.rankdata(scores)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def samples_for_share(share: float, limit: float) -> int:
    """About how many samples tell a share from a limit; 0 where it lies on it."""
    spread = max(share * (1 - share), limit * (1 - limit))
    return 0 if share == limit else math.ceil(Z_95**2 * spread / (share - limit) ** 2)
