"""Is the loss shared evenly?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.analysis.check.base import LEVELS, CheckRule, Level, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import mean_interval
from explorer.params import param
from explorer.text.numbers import points_apart
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class Disparity(CheckRule):
    """A class's drop minus the overall drop, on the same samples, with the 95 % interval of that difference.

    It is listed; with ``most`` below 1 it holds where the largest one is not beyond ``most`` beyond doubt.
    """

    key: ClassVar[str] = "disparity"
    label: ClassVar[str] = "disparity"
    question: ClassVar[str] = "Does one class pay more than all together?"

    level: Level = param("warn", "what it does", choices=LEVELS, help="fail, only warn, or off")
    most: float = param(1.0, "most", low=0, high=1, help="how much more than all a class may lose; 1: only listed")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The largest difference, and a row for each class."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        pair = evidence.pair
        dropped = (pair.lost.double() - pair.won.double()).numpy()
        labels = pair.labels.numpy()  # type: ignore[union-attr]
        rows = tuple(_row(evidence.dataset.class_name(int(c)), dropped, labels == c) for c in np.unique(labels))
        worst = max(rows, key=lambda row: row["difference"])
        ends = None if worst["low"] is None else (worst["low"], worst["high"])
        value = evidence.measured("drop", worst["difference"], "fraction", ends)  # type: ignore[arg-type]
        why = f"{worst['name']} loses {points_apart(worst['difference'])} more than all classes together."
        if self.most >= 1:
            return self.says("pass", f"Listed. {why}", value, rows=rows)
        beyond = worst["low"] is not None and worst["low"] > self.most
        return self.says("fail" if beyond else "pass", why, value, limit=self.most, rows=rows)


def _row(name: str, dropped: np.ndarray, members: np.ndarray) -> JsonObject:  # type: ignore[type-arg]
    share = members.mean()
    each = dropped * (members / share - 1)
    ends = mean_interval(each) if members.sum() > 1 else None
    low, high = (None, None) if ends is None else ends
    return {"name": name, "n": int(members.sum()), "difference": float(each.mean()), "low": low, "high": high}
