"""Parts of the samples (classes, slices), each with its own paired drop, judged as one family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from explorer.analysis.check.answers import AnswerPair
from explorer.analysis.check.base import CheckRule, Outcome, Status
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import beyond_margin, holm, paired_score
from explorer.metrics.interval import Interval
from explorer.text.numbers import points_apart, points_spelled
from explorer.types.aliases import JsonObject

# One-sided for "beyond the margin", as one end of a 95 % interval is.
ALPHA = 0.025


@dataclass(frozen=True)
class PartOfSamples:
    """Some of the samples: of ``n`` pairs ``lost`` right answers became wrong, ``won`` wrong ones right."""

    name: str
    n: int
    right: int
    lost: int
    won: int

    @classmethod
    def of(cls, name: str, pair: AnswerPair, members: Tensor) -> PartOfSamples:
        """The part whose members (n,) bool are."""
        right = pair.right(pair.dense) & members
        lost, won = pair.lost & members, pair.won & members
        return cls(name, int(members.sum()), int(right.sum()), int(lost.sum()), int(won.sum()))

    @property
    def drop(self) -> float:
        """Accuracy before minus accuracy after."""
        return (self.lost - self.won) / self.n

    @property
    def interval(self) -> Interval:
        """The 95 % score interval of the drop."""
        return paired_score(self.lost, self.won, self.n)


@dataclass(frozen=True)
class FamilyOfParts:
    """What is looked at together: parts of one ``kind``, each against ``margin``; one with fewer samples than
    ``fewest`` cannot be told."""

    kind: str
    parts: Sequence[PartOfSamples]
    margin: float
    fewest: int

    def outcome(self, rule: CheckRule, evidence: CheckEvidence) -> Outcome:
        """In the rule's name: the worst part that has enough samples is the value."""
        enough = [part for part in self.parts if part.n >= self.fewest]
        few = [part for part in self.parts if part.n < self.fewest]
        adjusted = holm([beyond_margin(part.lost, part.won, part.n, self.margin) for part in enough])
        rows = (*(_row(part, p) for part, p in zip(enough, adjusted, strict=True)), *(_row(part, None) for part in few))
        if not enough:
            why = f"No {self.kind} has {self.fewest} samples."
            return rule.says("cannot tell", why, limit=self.margin, rows=rows)
        worst = max(enough, key=lambda part: (part.drop, part.lost))
        value = evidence.measured("drop", worst.drop, "fraction", worst.interval, n=worst.n)
        failed = [part.name for part, p in zip(enough, adjusted, strict=True) if p <= ALPHA]
        status, why = self._judged(enough, few, failed)
        return rule.says(status, f"{self._named(worst)} {why}", value, limit=self.margin, rows=rows)

    def _judged(
        self, enough: Sequence[PartOfSamples], few: Sequence[PartOfSamples], failed: Sequence[str]
    ) -> tuple[Status, str]:
        beyond = [part.name for part in enough if part.drop > self.margin]
        margin, names = points_spelled(self.margin), ", ".join(part.name for part in few)
        if failed:
            return "fail", f"Beyond {margin} after Holm's correction over {len(enough)}: {', '.join(failed)}."
        if beyond:
            return "cannot tell", f"Measured beyond {margin}, though not beyond doubt: {', '.join(beyond)}."
        if few:
            return "cannot tell", f"Fewer than {self.fewest} samples, so not told: {names}."
        reach = max(part.interval.high for part in enough)
        return "pass", f"None is measured beyond {margin}; the widest interval reaches {points_apart(reach)}."

    def _named(self, worst: PartOfSamples) -> str:
        wrong = f"{worst.lost:,} of {worst.right:,} right answers became wrong"
        return f"The worst {self.kind} is {worst.name}: {wrong}, {worst.won:,} wrong ones right."


def _row(part: PartOfSamples, p: float | None) -> JsonObject:
    low, high = part.interval
    return {
        "name": part.name, "n": part.n, "drop": part.drop, "low": low, "high": high, "lost": part.lost,
        "won": part.won, "right": part.right, "p_holm": p,
    }  # fmt: skip
