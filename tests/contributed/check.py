"""A check of its own: is the candidate called by a name that is short enough?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.params import param


@dataclass(frozen=True)
class ShortName(CheckRule):
    """The address has at most ``most`` letters."""

    key: ClassVar[str] = "short_name"
    label: ClassVar[str] = "short name"
    question: ClassVar[str] = "Is its name short enough?"

    most: int = param(20, "most letters", low=1, high=1000, help="of the address")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """How long it is."""
        n = evidence.counted("letters", len(evidence.candidate.address), "letters")
        return self.says("pass" if n.value <= self.most else "fail", f"{n.value:.0f} letters.", n, limit=self.most)
