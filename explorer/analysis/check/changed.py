"""How many answers change, and which way?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.check.answers import AnswerPair
from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import mcnemar, samples_for_share
from explorer.metrics.interval import wilson
from explorer.params import param
from explorer.text.numbers import number, percent_asked
from explorer.types import Measurement
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class ChangedAnswers(CheckRule):
    """The share of samples that another class is chosen for, with Wilson's 95 % interval, against ``most``; and
    McNemar's exact test of whether more became wrong than right.

    Source: McNemar 1947, doi:10.1007/BF02295996; the exact test is the binomial one on the discordant pairs.
    """

    key: ClassVar[str] = "changed"
    label: ClassVar[str] = "changed answers"
    question: ClassVar[str] = "To how many samples does it answer something else?"

    most: float = param(0.05, "most", low=0, high=1, help="the share of answers that may change, as a fraction")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The share, against the most that may be."""
        if evidence.why_no_classes:
            return self.no_case(evidence.why_no_classes)
        pair, limit = evidence.pair, self.most
        n_changed, n, share = int(pair.changed.sum()), len(pair), share_changed(evidence)
        rows: tuple[JsonObject, ...] = ()
        why = f"{n_changed:,} of {n:,} answers are others."
        if pair.labels is not None:
            why, rows = f"{why} {_directions(pair)}", _rows(pair)
        if (share.high or 0.0) <= limit:
            return self.says("pass", why, share, limit=limit, rows=rows)
        if (share.low or 0.0) > limit:
            return self.says("fail", why, share, limit=limit, rows=rows)
        needed = samples_for_share(share.value, limit)
        why = f"{why} Too few samples to tell whether it is more than {percent_asked(limit)}."
        return self.says("cannot tell", why, share, limit=limit, rows=rows, n_needed=needed if needed > n else None)


def share_changed(evidence: CheckEvidence) -> Measurement:
    """The share of samples that another class is chosen for, with Wilson's interval."""
    n_changed, n = int(evidence.pair.changed.sum()), len(evidence.pair)
    return evidence.measured("changed", n_changed / n, "fraction", wilson(n_changed, n))


def _directions(pair: AnswerPair) -> str:
    lost, won = int(pair.lost.sum()), int(pair.won.sum())
    other = int(pair.changed.sum()) - lost - won
    p = mcnemar(lost, won)
    sure = "more became wrong than right" if lost > won else "more became right than wrong"
    verdict = f"beyond chance {sure}" if p < 0.05 else "no direction beyond chance"
    return (
        f"{lost:,} from right to wrong, {won:,} from wrong to right, {other:,} from wrong to wrong; "
        f"{verdict} (McNemar, exact, p = {number(p)})."
    )


def _rows(pair: AnswerPair) -> tuple[JsonObject, ...]:
    lost, won = int(pair.lost.sum()), int(pair.won.sum())
    other = int(pair.changed.sum()) - lost - won
    return (
        {"direction": "right to wrong", "n": lost},
        {"direction": "wrong to right", "n": won},
        {"direction": "wrong to another wrong", "n": other},
        {"direction": "McNemar p", "p": mcnemar(lost, won)},
    )
