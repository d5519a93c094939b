"""Is the candidate as accurate as what it replaces, but for a margin?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import METHOD, paired_score, samples_needed, smallest_margin
from explorer.params import param
from explorer.text.delta import NOTHING_REMOVED
from explorer.text.numbers import points_apart, points_spelled
from explorer.types import Measurement


@dataclass(frozen=True)
class AccuracyNotInferior(CheckRule):
    """The upper end of the paired 95 % score interval of the drop is within ``margin``; it fails where the lower end
    is beyond. Between, too few samples were looked at. Other answers than classes: the interval of their own drop.

    Source: Tango 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.
    """

    key: ClassVar[str] = "accuracy"
    label: ClassVar[str] = "accuracy not inferior"
    question: ClassVar[str] = "Is it as accurate as before, but for a margin?"

    margin: float = param(0.01, "margin", low=0.0001, high=1, help="the drop that is still accepted, as a fraction")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The paired drop, against the margin."""
        if evidence.labels is None:
            return self.no_case("The data has no labels: nothing says who is right.")
        if evidence.task != "classes":
            return self._of_other_answers(evidence)
        pair = evidence.pair
        lost, won, n = int(pair.lost.sum()), int(pair.won.sum()), len(pair)
        drop = paired_drop(evidence)
        return self._judged(drop, f"{lost:,} right answers became wrong and {won:,} wrong ones right", (lost + won) / n)

    def _judged(self, drop: Measurement, counts: str, discordant: float) -> Outcome:
        limit, n, counted = self.margin, drop.n or 0, f"{counts}, of {drop.n:,}"
        if (drop.high or 0.0) <= limit:
            why = f"{counted}. All of the {METHOD} is within {points_spelled(limit)}."
            return self.says("pass", why, drop, limit=limit)
        if (drop.low or 0.0) > limit:
            why = f"{counted}. All of the {METHOD} is beyond {points_spelled(limit)}."
            return self.says("fail", why, drop, limit=limit)
        needed, decidable = samples_needed(discordant, limit), points_apart(smallest_margin(discordant, n))
        if needed <= n:
            why = f"{counted}. The drop lies too near to {points_spelled(limit)} to be told from it."
            return self.says("cannot tell", why, drop, limit=limit)
        why = (
            f"{counted}: too few samples for a margin of {points_spelled(limit)}. "
            f"Where so many answers differ it takes {needed:,}; these decide {decidable}."
        )
        return self.says("cannot tell", why, drop, limit=limit, n_needed=needed)

    def _of_other_answers(self, evidence: CheckEvidence) -> Outcome:
        drop = evidence.evaluation.drop
        if drop.note == NOTHING_REMOVED:
            return self.says("pass", "Nothing is removed: it answers as before.", drop, limit=self.margin)
        if drop.low is None or drop.high is None:
            return self.says("cannot tell", "Too few samples for an interval.", drop, limit=self.margin)
        status = "pass" if drop.high <= self.margin else "fail" if drop.low > self.margin else "cannot tell"
        words = {"pass": "within the margin", "fail": "beyond the margin", "cannot tell": "on both sides of the margin"}
        why = f"The 95 % interval of the drop of {evidence.evaluation.accuracy.name} lies {words[status]}."
        return self.says(status, why, drop, limit=self.margin)  # type: ignore[arg-type]


def paired_drop(evidence: CheckEvidence) -> Measurement:
    """Accuracy before minus accuracy after, with the score interval of a paired difference; only with labels."""
    pair = evidence.pair
    lost, won, n = int(pair.lost.sum()), int(pair.won.sum()), len(pair)
    return evidence.measured("drop", (lost - won) / n, "fraction", paired_score(lost, won, n))
