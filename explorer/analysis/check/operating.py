"""What happens where only confident answers are used?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from explorer.analysis.check.answers import Side
from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import auroc, mean_interval, paired_score
from explorer.metrics.interval import Interval
from explorer.params import param
from explorer.text.numbers import percent, percent_asked, points_spelled
from explorer.types import Measurement
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class OperatingPoint(CheckRule):
    """At a confidence of ``threshold`` or more: how many answers are left (coverage) and how many of those are right.
    Neither may fall by more than ``most``, by paired 95 % intervals. Of two classes the AUROC stands beside them.
    """

    key: ClassVar[str] = "operating"
    label: ClassVar[str] = "operating point"
    question: ClassVar[str] = "Are as many answers confident, and are those as right?"

    threshold: float = param(0.9, "confidence", low=0, high=1, help="answers with less are not used")
    most: float = param(0.05, "most", low=0.0001, high=1, help="how far either may fall, as a fraction")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """Whichever of the two fell further, against the most that is allowed."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        pair, limit = evidence.pair, self.most
        used = [(side.confidence >= self.threshold).numpy() for side in (pair.dense, pair.candidate)]
        coverage = self._coverage(evidence, *used)
        right = [pair.right(side).numpy() for side in (pair.dense, pair.candidate)]
        accuracies = [float(r[u].mean()) if u.any() else float("nan") for r, u in zip(right, used, strict=True)]
        rows: tuple[JsonObject, ...] = (
            {"name": "coverage", "before": float(used[0].mean()), "after": float(used[1].mean())},
            {"name": "accuracy there", "before": accuracies[0], "after": accuracies[1]},
            *_areas(pair.dense, pair.candidate, pair.labels.numpy(), pair.n_classes),  # type: ignore[union-attr]
        )
        why = (
            f"At a confidence of {percent_asked(self.threshold)}: coverage {percent(float(used[0].mean()))} before, "
            f"{percent(float(used[1].mean()))} after"
        )
        if not used[0].any() or not used[1].any():
            status = "fail" if (coverage.low or 0) > limit else "cannot tell"
            return self.says(status, f"{why}; no accuracy there.", coverage, limit=limit, rows=rows)  # type: ignore[arg-type]
        there = evidence.measured("drop", accuracies[0] - accuracies[1], "fraction", _fall(used, right))
        why = f"{why}; accuracy there {percent(accuracies[0])} before, {percent(accuracies[1])} after."
        worst = max((coverage, there), key=lambda m: m.value)
        if any((m.low or 0) > limit for m in (coverage, there)):
            return self.says("fail", why, worst, limit=limit, rows=rows)
        if all((limit + 1 if m.high is None else m.high) <= limit for m in (coverage, there)):
            return self.says("pass", why, worst, limit=limit, rows=rows)
        why = f"{why} Too few samples for a fall of {points_spelled(limit)}."
        return self.says("cannot tell", why, worst, limit=limit, rows=rows)

    def _coverage(self, evidence: CheckEvidence, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Measurement:
        lost, won, n = int((before & ~after).sum()), int((~before & after).sum()), len(before)
        return evidence.measured("drop", (lost - won) / n, "fraction", paired_score(lost, won, n))


def _fall(used: list[NDArray[np.bool_]], right: list[NDArray[np.bool_]]) -> Interval | None:
    """The interval of the difference of two shares, each over its own used samples, linearised sample by sample."""
    parts = [u * (r - r[u].mean()) / u.mean() for u, r in zip(used, right, strict=True)]
    around = mean_interval(parts[0] - parts[1])
    value = float(right[0][used[0]].mean() - right[1][used[1]].mean())
    return None if around is None else Interval(value + around.low, value + around.high)


def _areas(dense: Side, candidate: Side, labels: NDArray[np.int64], n_classes: int) -> tuple[JsonObject, ...]:
    if n_classes != 2:
        return ()
    before, after = (auroc(side.second.numpy(), labels == 1) for side in (dense, candidate))
    return ({"name": "AUROC", "before": before, "after": after},)
