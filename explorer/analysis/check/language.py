"""Does it read on as before?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.analysis.check.statistics import mean_interval
from explorer.engine.prepared import logits_of
from explorer.metrics.interval import Interval
from explorer.params import param
from explorer.pruning.running import fitting, runnable
from explorer.text.numbers import number, percent, times
from explorer.types.inputs import call
from explorer.types.stopping import check

_BATCH = 16
Array = NDArray[np.float64]


@dataclass(frozen=True)
class LanguageModels(CheckRule):
    """The perplexity's ratio, candidate / dense, from the paired difference of log-likelihood a token, with a 95 %
    interval over sequences, against ``most``; and how many next tokens change.
    """

    key: ClassVar[str] = "language"
    label: ClassVar[str] = "language models"
    question: ClassVar[str] = "Does it predict the next token as well?"

    most: float = param(1.1, "most", low=0, high=1000, help="perplexity / perplexity of the dense model")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
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


def token_losses(evidence: CheckEvidence) -> tuple[Array, Array, Array, Array]:
    """Of each sequence: the summed loss before and after, how many tokens were predicted, how many choices changed."""
    modules = [runnable(model) for model in (evidence.dense, evidence.candidate)]
    parts: list[list[torch.Tensor]] = []
    for start in range(0, evidence.n, _BATCH):
        check()
        x, y = evidence.split.x[start : start + _BATCH], evidence.labels[start : start + _BATCH]  # type: ignore[index]
        counted = y >= 0
        logs, choices = [], []
        with torch.inference_mode():
            for module in modules:
                scores = logits_of(call(module, fitting(x, module)), len(x)).double().cpu()
                choices.append(scores.argmax(dim=-1))
                of_label = scores.log_softmax(dim=-1).gather(-1, y.clamp_min(0)[..., None])[..., 0]
                logs.append(-(of_label * counted).sum(dim=1))
        changed = ((choices[0] != choices[1]) & counted).sum(dim=1)
        parts.append([*logs, counted.sum(dim=1), changed])
    before, after, n_tokens, n_changed = (torch.cat(each).double().numpy() for each in zip(*parts, strict=True))
    return before, after, n_tokens, n_changed
