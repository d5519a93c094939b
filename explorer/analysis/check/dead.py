"""Is anything dead, constant, broken or left to chance?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from explorer.analysis import collapse
from explorer.analysis.check.answers import scores_of
from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.metrics.size import stored_tensors
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.text.names import listed
from explorer.types import Finding, LoadedModel, Plan

_FEW = 32
_SAME = 1e-3


@dataclass(frozen=True)
class DeadOrConstant(CheckRule):
    """Empty layers, dead channels, numbers that are none, one class for all, outputs that never change or that change
    from pass to pass, no better than chance or than the most frequent class. What the dense model has too only warns.
    """

    key: ClassVar[str] = "dead"
    label: ClassVar[str] = "dead or constant"
    question: ClassVar[str] = "Is anything in it empty, constant or not a number?"

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """What was looked for and is there."""
        findings = _findings(evidence)
        rows = tuple({"level": f.level, "what": f.what, "evidence": f.evidence, "layer": f.layer} for f in findings)
        failed = [finding.what for finding in findings if finding.level == "fail"]
        warned = [finding.what for finding in findings if finding.level == "warn"]
        n = evidence.counted("findings", len(failed), "findings")
        if failed:
            return self.says("fail", " ".join(failed[:3]), n, limit=0, rows=rows)
        if warned:
            return self.says("warn", " ".join(warned[:3]), n, limit=0, rows=rows)
        return self.says("pass", "No layer is empty, no channel dead, and every output is a number.", n, limit=0)


def _findings(evidence: CheckEvidence) -> list[Finding]:
    own = list(_of(evidence.candidate, evidence.plan, evidence))
    before = {finding.what for finding in _of(evidence.dense, None, evidence)}
    weighed = [
        Finding("warn", f"{f.what} So it is in the dense model.", f.evidence, f.action, f.layer)
        if f.what in before and f.level == "fail" else f
        for f in own
    ]  # fmt: skip
    return collapse.worst_first(finding for finding in dict.fromkeys(weighed) if finding.level != "ok")


def _of(model: LoadedModel, plan: Plan | None, evidence: CheckEvidence) -> Iterator[Finding]:
    yield from _of_numbers(model)
    yield from (finding for finding in model.findings if finding.level == "fail")
    if plan is not None:
        yield from collapse.before(evidence.dense, plan)
    else:
        yield from collapse.before(model, make_plan(model, PruneSpec()))
    evaluation = evidence.evaluator.dense() if model is evidence.dense else evidence.evaluation
    yield from collapse.after(evaluation, model.n_classes, plan, evidence.labels)
    if evidence.task == "classes":
        yield from _of_outputs(model, evidence)


def _of_numbers(model: LoadedModel) -> Iterator[Finding]:
    broken = [
        n
        for n, t in stored_tensors(model).items()
        if n not in model.weights and not bool(torch.isfinite(t.float()).all())
    ]
    if broken:
        what = f"Buffers hold numbers that are none: {listed(broken)}."
        yield Finding(
            "fail", what, "NaN or infinite statistics make every output of the layer so.", "Load an intact file."
        )


def _of_outputs(model: LoadedModel, evidence: CheckEvidence) -> Iterator[Finding]:
    side = evidence.pair.dense if model is evidence.dense else evidence.pair.candidate
    n_bad = int((~side.finite).sum())
    if n_bad:
        yield Finding("fail", f"The outputs of {n_bad:,} samples are not numbers.")
    elif evidence.n > 1 and bool(torch.equal(side.low, side.high)):
        yield Finding("fail", "The outputs are the same for every sample.", "No output of any class ever changes.")
    x = evidence.split.x[:_FEW]
    first, again = (next(scores_of(model, x)) for _ in range(2))
    if not torch.equal(first, again) and not _close(first, again):
        what = "The same samples get other answers at a second pass."
        yield Finding("fail", what, "Something is left to chance, such as dropout that stays on.", "Call eval() first.")
    elif len(x) > 2 and not _close(first[:1], next(scores_of(model, x[:1]))):
        what = "What a sample gets depends on the others of its batch."
        yield Finding("fail", what, "Statistics of the batch are in use, such as of batch norm without its own.")


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    largest = max(float(one.abs().max()), 1e-30)
    return bool(((one - other).abs().max() <= _SAME * largest) | (~one.isfinite()).any())
