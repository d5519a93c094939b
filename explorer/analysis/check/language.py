"""Does it read on as before?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explorer.analysis.check.base import Outcome, Rule
from explorer.analysis.check.evidence import Evidence
from explorer.analysis.check.statistics import mean_interval
from explorer.analysis.check.token_answers import token_losses
from explorer.metrics.interval import Interval
from explorer.params import param
from explorer.text.numbers import number, percent, times


@dataclass(frozen=True)
class LanguageModels(Rule):
    """The perplexity's ratio, candidate / dense, from the paired difference of log-likelihood a token, with a 95 %
    interval over sequences, against ``most``; and how many next tokens change.
    """

    key: ClassVar[str] = "language"
    label: ClassVar[str] = "language models"
    question: ClassVar[str] = "Does it predict the next token as well?"

    most: float = param(1.1, "most", low=0, high=1000, help="perplexity / perplexity of the dense model")

    def outcome(self, evidence: Evidence) -> Outcome:
        """The ratio, against the most that is allowed."""
        if evidence.task != "tokens":
            return self.no_case("The model does not predict tokens.")
        if evidence.labels is None:
            return self.no_case("The data has no next tokens to predict.")
        before, after, n_tokens, n_changed = token_losses(evidence)
        total = n_tokens.sum()
        rise = float((after - before).sum() / total)
        each = (after - before - rise * n_tokens) * len(n_tokens) / total
        around = mean_interval(each)
        perplexities = [float(np.exp(losses.sum() / total)) for losses in (before, after)]
        rows = ({"name": "perplexity", "before": perplexities[0], "after": perplexities[1]},)
        ends = None if around is None else Interval(float(np.exp(rise + around.low)), float(np.exp(rise + around.high)))
        value = evidence.measured("perplexity_ratio", float(np.exp(rise)), "x", ends)
        why = (
            f"Perplexity {number(perplexities[0])} before, {number(perplexities[1])} after, over "
            f"{int(total):,} tokens; {percent(float(n_changed.sum() / total))} of the next tokens change."
        )
        if ends is None:
            return self.says("cannot tell", why, value, limit=self.most, rows=rows)
        status = "pass" if ends.high <= self.most else "fail" if ends.low > self.most else "cannot tell"
        hint = f" The interval holds {times(self.most)}: more sequences would tell." if status == "cannot tell" else ""
        return self.says(status, f"{why}{hint}", value, limit=self.most, rows=rows)  # type: ignore[arg-type]
