"""Does it break sooner than before on corrupted pictures?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from explorer.analysis.check.answers import answered
from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.parts import ALPHA
from explorer.analysis.check.statistics import holm, mean_interval
from explorer.analysis.corrupting import FOR_SMALL, Pictures, corrupted, inputs_from, pictures_in
from explorer.params import param
from explorer.text.numbers import points_apart, points_spelled
from explorer.types.aliases import JsonObject
from explorer.types.inputs import one_tensor

SEVERITIES = (1, 3, 5)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Corruptions(CheckRule):
    """How much larger the drop is on corrupted pictures than on clean ones, sample by sample: six kinds at severity
    1, 3 and 5, on the first ``samples`` of the split. All kinds together are held against ``margin`` by their 95 %
    interval, and each kind alone after Holm's correction.

    Source: Hendrycks and Dietterich 2019, arXiv:1903.12261.
    """

    key: ClassVar[str] = "corruptions"
    label: ClassVar[str] = "corruptions"
    question: ClassVar[str] = "Does it break sooner on corrupted pictures?"

    margin: float = param(0.03, "margin", low=0.0001, high=1, help="how much larger the drop may be, as a fraction")
    samples: int = param(500, "samples", low=2, high=10_000_000, help="of the split, at most")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The drop of the drop over all kinds, and a row for each kind and severity."""
        why_not = evidence.why_not_right or ("" if evidence.dataset.images else "The samples are no pictures.")
        pictures = None if why_not else pictures_in(evidence.split.x[: self.samples], evidence.dataset.meta)
        if pictures is None:
            return self.no_case(why_not or "Where black and white are is not known of these pictures.")
        excess, rows = _excess(evidence, pictures)
        n, whole = len(pictures), np.mean(list(excess.values()), axis=0)
        ends = mean_interval(whole)
        value = evidence.measured("drop", float(whole.mean()), "fraction", ends, n=n)
        adjusted = holm([_p_beyond(each, self.margin) for each in excess.values()])
        broken = [kind for kind, p in zip(excess, adjusted, strict=True) if p <= ALPHA]
        worst = max(excess, key=lambda kind: float(excess[kind].mean()))
        why = f"The worst is {worst}: {points_apart(float(excess[worst].mean()))} beyond the drop on clean pictures."
        if broken or (ends is not None and ends.low > self.margin):
            named = (
                f" Beyond {points_spelled(self.margin)} after Holm's correction: {', '.join(broken)}." if broken else ""
            )
            return self.says("fail", f"{why}{named}", value, limit=self.margin, rows=rows)
        if ends is not None and ends.high <= self.margin:
            return self.says("pass", why, value, limit=self.margin, rows=rows)
        return self.says("cannot tell", f"{why} Too few samples to tell.", value, limit=self.margin, rows=rows)


def _excess(evidence: CheckEvidence, pictures: Pictures) -> tuple[Mapping[str, Array], tuple[JsonObject, ...]]:
    n, meta = len(pictures), evidence.dataset.meta
    x = one_tensor(evidence.split.x[:n], "A picture")
    labels = evidence.pair.labels[:n]  # type: ignore[index]
    clean = (evidence.pair.lost.double() - evidence.pair.won.double()).numpy()[:n]
    excess: dict[str, Array] = {}
    rows: list[JsonObject] = []
    for kind in FOR_SMALL:
        of_kind = []
        for severity in SEVERITIES:
            inputs = inputs_from(corrupted(pictures, kind, severity, evidence.seed), x, meta)
            pair = answered(evidence.dense, evidence.candidate, inputs, labels)
            more = (pair.lost.double() - pair.won.double()).numpy() - clean
            of_kind.append(more)
            low, high = mean_interval(more) or (None, None)
            before, after = (float(pair.right(s).double().mean()) for s in (pair.dense, pair.candidate))
            rows.append({"name": kind, "severity": severity, "before": before, "after": after,
                         "excess": float(more.mean()), "low": low, "high": high, "n": n})  # fmt: skip
        excess[kind] = np.mean(of_kind, axis=0)
    return excess, tuple(rows)


def _p_beyond(values: Array, margin: float) -> float:
    """The one-sided p value of "the mean is at most ``margin``", by Student's t."""
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    if not error:
        return 0.0 if values.mean() > margin else 1.0
    return float(stats.t.sf((values.mean() - margin) / error, len(values) - 1))
