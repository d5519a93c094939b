"""Did it lose what it learnt, or what it had learnt by heart?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.analysis.check.answers import answered
from explorer.analysis.check.base import LEVELS, CheckRule, Level, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import mean_interval
from explorer.metrics.interval import Interval
from explorer.params import param
from explorer.text.numbers import points, points_spelled


@dataclass(frozen=True)
class Generalisation(CheckRule):
    """The gap between accuracy on the samples it was fitted to and on these, before and after, on at most ``samples``
    of the former. The rise of the gap is held against ``most``, with the 95 % interval of two independent means.
    """

    key: ClassVar[str] = "generalisation"
    label: ClassVar[str] = "generalisation"
    question: ClassVar[str] = "Is it worse on new samples than on those it was fitted to?"

    level: Level = param("warn", "what it does", choices=LEVELS, help="fail, only warn, or off")
    most: float = param(0.02, "most", low=0, high=1, help="how much the gap may grow, as a fraction")
    samples: int = param(1000, "samples", low=2, high=10_000_000, help="of the fit split, at most")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """How much the gap grew."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        fit = evidence.dataset.splits.get("fit")
        if fit is None or fit.y is None or fit.name == evidence.split.name:
            return self.no_case("The data has no fit split beside this one.")
        n = min(self.samples, len(fit))
        of_fit = answered(evidence.dense, evidence.candidate, fit.x[:n], fit.y[:n])
        drops = [(pair.lost.double() - pair.won.double()).numpy() for pair in (evidence.pair, of_fit)]
        ends = _difference(*drops)
        gaps = [
            float(of_fit.right(f).double().mean() - evidence.pair.right(e).double().mean())
            for f, e in ((of_fit.dense, evidence.pair.dense), (of_fit.candidate, evidence.pair.candidate))
        ]
        value = evidence.measured("drop", gaps[1] - gaps[0], "fraction", ends)
        rows = ({"name": "gap", "before": gaps[0], "after": gaps[1]},)
        why = f"The gap to {n:,} samples of fit is {points(gaps[0])} before and {points(gaps[1])} after."
        if ends is None:
            return self.says("cannot tell", why, value, limit=self.most, rows=rows)
        if ends.low > self.most:
            return self.says(
                "fail", f"{why} It grew by more than {points_spelled(self.most)}.", value, limit=self.most, rows=rows
            )
        return self.says("pass", why, value, limit=self.most, rows=rows)


def _difference(one: np.ndarray, other: np.ndarray) -> Interval | None:  # type: ignore[type-arg]
    around = [mean_interval(values) for values in (one, other)]
    if around[0] is None or around[1] is None:
        return None
    half = math.hypot(*((ends.high - ends.low) / 2 for ends in around if ends is not None))
    value = float(one.mean() - other.mean())
    return Interval(value - half, value + half)
