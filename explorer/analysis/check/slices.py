"""Which kind of sample is hurt?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.parts import FamilyOfParts, PartOfSamples
from explorer.errors import ExplorerError
from explorer.params import param


@dataclass(frozen=True)
class Slices(CheckRule):
    """The paired drop of every value of every column beside the samples (``slices``), as for classes, with Holm's
    correction over all of them.
    """

    key: ClassVar[str] = "slices"
    label: ClassVar[str] = "slices"
    question: ClassVar[str] = "Does a kind of sample lose more than the others may hide?"

    margin: float = param(0.05, "margin", low=0.0001, high=1, help="the drop that a slice may have, as a fraction")
    fewest: int = param(30, "fewest samples", low=1, high=100_000, help="a slice with fewer cannot be told")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The worst slice, and a row for each."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        if not evidence.slices:
            return self.no_case("No columns were given beside the samples.")
        pair, parts = evidence.pair, []
        for column, values in evidence.slices.items():
            if len(values) != len(pair):
                what = f"The column {column!r} has {len(values):,} values for {len(pair):,} samples."
                raise ExplorerError(what, fix="Give one value for each sample of the split, in its order.")
            for value in sorted(set(values), key=str):
                members = torch.tensor([each == value for each in values])
                parts.append(PartOfSamples.of(f"{column} = {value}", pair, members))
        return FamilyOfParts("slice", parts, self.margin, self.fewest).outcome(self, evidence)
