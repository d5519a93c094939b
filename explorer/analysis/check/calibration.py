"""Does confidence still mean what it says?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.check.answers import Side
from explorer.analysis.check.base import LEVELS, CheckRule, Level, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.metrics.interval import Interval
from explorer.params import param
from explorer.text.numbers import percent
from explorer.types.aliases import JsonObject

N_BINS = 15
_DRAWS = 1000
_BAND_DRAWS = 200
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration(CheckRule):
    """The expected calibration error (15 bins of equal width) beside the band that a perfectly calibrated model with
    these confidences shows at this n: labels are drawn 200 times from the confidences. It holds where the error is
    within the band's 95 %, or where it did not rise beyond doubt (paired bootstrap, 1,000 draws).

    Source: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; the band is the consistency resampling of Bröcker and
    Smith 2007, doi:10.1175/WAF993.1.
    """

    key: ClassVar[str] = "calibration"
    label: ClassVar[str] = "calibration"
    question: ClassVar[str] = "Is it right as often as it believes to be?"

    level: Level = param("warn", "what it does", choices=LEVELS, help="fail, only warn, or off")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The error, against the end of the band."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        pair = evidence.pair
        before, after = (_of(side, pair.right(side).numpy()) for side in (pair.dense, pair.candidate))
        if not np.isfinite(after[0]).all() or not np.isfinite(before[0]).all():
            return self.says("cannot tell", "The confidences are not numbers.")
        band = chance_band(after[0], evidence.seed)
        rise = _rise(before, after, evidence.seed)
        error = evidence.measured("ece", ece(*after), "fraction")
        rows = (*_errors(before, after, band, rise), *_reliability("before", *before), *_reliability("after", *after))
        why = (
            f"{percent(ece(*before))} before, {percent(error.value)} after; with {evidence.n:,} samples a perfectly "
            f"calibrated model shows {percent(float(band.mean()))} on average, and up to {percent(_end(band))}."
        )
        if error.value <= _end(band):
            return self.says("pass", why, error, limit=_end(band), rows=rows)
        if rise.low > 0:
            return self.says("fail", f"{why} It rose beyond doubt.", error, limit=_end(band), rows=rows)
        return self.says("pass", f"{why} It did not rise beyond doubt.", error, limit=_end(band), rows=rows)


def ece(confidence: Array, right: Array) -> float:
    """The expected calibration error over 15 bins of equal width, (0, 1/15], (1/15, 2/15], ..."""
    bins = np.clip(np.ceil(confidence * N_BINS).astype(int), 1, N_BINS) - 1
    return float(np.abs(np.bincount(bins, right - confidence, N_BINS)).sum() / len(confidence))


def ece_equal_mass(confidence: Array, right: Array) -> float:
    """The same over 15 bins with equally many samples."""
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split((right - confidence)[order], N_BINS)
    return float(sum(abs(part.sum()) for part in parts) / len(confidence))


def chance_band(confidence: Array, seed: int, draws: int = _BAND_DRAWS) -> Array:
    """(draws,) the errors of a perfectly calibrated model with these confidences."""
    random = np.random.default_rng(seed)
    return np.array(
        [ece(confidence, (random.random(len(confidence)) < confidence).astype(float)) for _ in range(draws)]
    )


def _of(side: Side, right: NDArray[np.bool_]) -> tuple[Array, Array]:
    return side.confidence.numpy(), right.astype(float)


def _rise(before: tuple[Array, Array], after: tuple[Array, Array], seed: int) -> Interval:
    random, n = np.random.default_rng(seed), len(before[0])
    value = ece(*after) - ece(*before)
    draws = []
    for _ in range(_DRAWS):
        at = random.integers(0, n, n)
        draws.append(ece(after[0][at], after[1][at]) - ece(before[0][at], before[1][at]))
    # Reversed about the estimate: absolute values make every resample too large.
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(2 * value - high), float(2 * value - low))


def _end(band: Array) -> float:
    return float(np.quantile(band, 0.95))


def _errors(
    before: tuple[Array, Array], after: tuple[Array, Array], band: Array, rise: Interval
) -> tuple[JsonObject, ...]:
    return (
        {"name": "ECE, equal width", "before": ece(*before), "after": ece(*after), "low": rise.low, "high": rise.high},
        {"name": "ECE, equal mass", "before": ece_equal_mass(*before), "after": ece_equal_mass(*after)},
        {"name": "band of a perfectly calibrated model", "after": float(band.mean()), "high": _end(band)},
    )


def _reliability(when: str, confidence: Array, right: Array) -> list[JsonObject]:
    bins = np.clip(np.ceil(confidence * N_BINS).astype(int), 1, N_BINS) - 1
    return [
        {"bin": int(b), "when": when, "n": int((bins == b).sum()), "confidence": float(confidence[bins == b].mean()),
         "accuracy": float(right[bins == b].mean())}
        for b in np.unique(bins)
    ]  # fmt: skip
