"""Are the probabilities as good as before?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import mean_interval, ratio_interval
from explorer.params import param
from explorer.text.numbers import number, percent_asked
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class Probabilities(CheckRule):
    """The negative log-likelihood's ratio, candidate / dense, of paired means with a linearised 95 % interval,
    against 1 + ``most``; beside it the paired difference of the Brier scores, and KL(dense, candidate) of every sample.
    """

    key: ClassVar[str] = "probabilities"
    label: ClassVar[str] = "probabilities"
    question: ClassVar[str] = "Does it believe in what is right as much as before?"

    most: float = param(0.1, "most", low=0, high=100, help="how much the NLL may rise, as a fraction")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The ratio, against what is allowed."""
        if evidence.why_not_right:
            return self.no_case(evidence.why_not_right)
        pair, limit = evidence.pair, 1 + self.most
        before, after = pair.dense.nll.numpy(), pair.candidate.nll.numpy()
        ratio, ends = ratio_interval(after, before)
        rows = _rows(evidence)
        if ends is None:
            return self.says("cannot tell", "The probabilities are not numbers, or too few.", limit=limit, rows=rows)
        value = evidence.measured("nll_ratio", ratio, "x", ends)
        means = f"NLL {number(float(before.mean()))} before, {number(float(after.mean()))} after"
        divergence = f"KL {number(float(pair.kl.mean()))} nats on average, 99th percentile {number(_tail(pair.kl))}"
        if ends.high <= limit:
            return self.says("pass", f"{means}; {divergence}.", value, limit=limit, rows=rows)
        if ends.low > limit:
            return self.says("fail", f"{means}; {divergence}.", value, limit=limit, rows=rows)
        why = f"{means}; {divergence}. Too few samples to tell whether it rose by more than {percent_asked(self.most)}."
        return self.says("cannot tell", why, value, limit=limit, rows=rows)


def _tail(kl: Tensor) -> float:
    return float(np.quantile(kl.numpy(), 0.99))


def _rows(evidence: CheckEvidence) -> tuple[JsonObject, ...]:
    pair = evidence.pair
    rows: list[JsonObject] = []
    for name, one, other in (
        ("NLL", pair.dense.nll, pair.candidate.nll),
        ("Brier", pair.dense.brier, pair.candidate.brier),
    ):
        low, high = mean_interval((other - one).numpy()) or (None, None)
        rows.append({"name": name, "before": float(one.mean()), "after": float(other.mean()), "low": low, "high": high})
    rows.append({"name": "KL mean", "after": float(pair.kl.mean())})
    rows.append({"name": "KL 99th percentile", "after": _tail(pair.kl)})
    return tuple(rows)
