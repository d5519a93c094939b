"""Which class is hurt?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.parts import FamilyOfParts, PartOfSamples
from explorer.params import param


@dataclass(frozen=True)
class EveryClass(CheckRule):
    """The paired drop of every class against ``margin``: it fails where a class is beyond it after Holm's correction
    over all classes (5 % two-sided for the family), passes where no class is measured beyond it, and cannot tell where
    one is measured beyond but not beyond doubt, or where a class has fewer than ``fewest`` samples.

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """

    key: ClassVar[str] = "classes"
    label: ClassVar[str] = "every class"
    question: ClassVar[str] = "Does a class lose more than the others may hide?"

    margin: float = param(0.05, "margin", low=0.0001, high=1, help="the drop that a class may have, as a fraction")
    fewest: int = param(30, "fewest samples", low=1, high=100_000, help="a class with fewer cannot be told")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The worst class, and a row for each."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        pair, labels = evidence.pair, evidence.pair.labels
        present = torch.unique(labels).tolist()  # type: ignore[no-untyped-call]
        parts = [PartOfSamples.of(evidence.dataset.class_name(c), pair, labels == c) for c in present]
        return FamilyOfParts("class", parts, self.margin, self.fewest).outcome(self, evidence)
