"""Is it what it says it is?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.metrics.size import stored_tensors
from explorer.models.lineage import lineage_of
from explorer.params import param
from explorer.pruning.layers import layer_table
from explorer.text.numbers import percent, percent_asked
from explorer.types import LoadedModel, tensors_digest

Seen = tuple[Literal["pass", "warn", "fail"], str, str]


@dataclass(frozen=True)
class ProvenanceCheck(CheckRule):
    """It opens without running code, its file has no keys too many, the dense model's digest is the one that its file
    recorded, and its share of zeros is at least the one that its file claims (within ``most``).
    """

    key: ClassVar[str] = "provenance"
    label: ClassVar[str] = "provenance"
    question: ClassVar[str] = "Is it what its file says it is?"

    most: float = param(0.01, "most", low=0, high=1, help="how far the share of zeros may be below the one claimed")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """All that was looked at."""
        seen = list(self._seen(evidence))
        rows = tuple({"name": name, "status": status, "why": why} for status, name, why in seen)
        worst = (
            "fail" if any(s == "fail" for s, *_ in seen) else "warn" if any(s == "warn" for s, *_ in seen) else "pass"
        )
        why = " ".join(text for status, _, text in seen if status == worst)
        counted = zeros(evidence.candidate)
        share = None if counted is None else evidence.counted("zeros", counted, "fraction")
        return self.says(worst, why, share, rows=rows)  # type: ignore[arg-type]

    def _seen(self, evidence: CheckEvidence) -> Iterator[Seen]:
        model = evidence.candidate
        runs_code = model.meta.get("source") == "factory" or (":" in str(model.meta.get("arch", "")))
        opened = "Opening it ran code of its author." if runs_code else "It opens without running code."
        yield ("warn" if runs_code else "pass"), "code", opened
        if evidence.plan is None:
            yield _file(model)
        yield _lineage(evidence)
        yield from self._claimed(model, evidence)

    def _claimed(self, model: LoadedModel, evidence: CheckEvidence) -> Iterator[Seen]:
        claim, counted = claimed_sparsity(model), zeros(model)
        if counted is None:
            sentence = "No prunable weight is seen in it, so that no zeros are counted."
            yield ("pass" if claim is None else "warn"), "zeros", sentence
            return
        if claim is None:
            yield "pass", "zeros", f"{percent(counted)} of its prunable weights are zero; its file claims nothing."
            return
        ok = counted >= claim - self.most
        sentence = f"{percent(counted)} of its prunable weights are zero; {percent_asked(round(claim, 6))} is claimed."
        yield ("pass" if ok else "fail"), "zeros", sentence


def _file(model: LoadedModel) -> Seen:
    odd = [finding.what for finding in model.findings if finding.level != "ok"]
    if odd:
        return "warn", "file", " ".join(odd)
    repairs = f" On opening: {' '.join(model.repairs)}" if model.repairs else ""
    return "pass", "file", f"Its file has what it needs and no more.{repairs}"


def zeros(model: LoadedModel) -> float | None:
    """The share of prunable weights that are exactly zero; None where it has none that are seen, such as those that
    stand as whole numbers inside of steps of an ONNX file."""
    layers = layer_table(model).prunable
    total = sum(layer.n_weights for layer in layers)
    n_zero = sum(int((model.weights[layer.parameter] == 0).sum()) for layer in layers)
    return n_zero / total if total else None


def claimed_sparsity(model: LoadedModel) -> float | None:
    """The share of weights that the request in its file asked to prune; None where it asked for something else."""
    spec = model.meta.get("spec")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("allocation"), Mapping):
        return None
    granularity = spec.get("granularity")
    unit = granularity.get("key") if isinstance(granularity, Mapping) else granularity
    share = spec["allocation"].get("sparsity")
    has_limits = bool(spec.get("limits"))
    return float(share) if unit == "weight" and isinstance(share, int | float) and not has_limits else None


def _lineage(evidence: CheckEvidence) -> Seen:
    lineage = lineage_of(evidence.candidate)
    if lineage is None:
        return "pass", "lineage", "Its file does not say what it was made from."
    now = evidence.dense.digest
    if lineage.digest == now or lineage.digest == tensors_digest(stored_tensors(evidence.dense)):
        return "pass", "lineage", f"It was made from this dense model ({now})."
    return "fail", "lineage", f"It was made from {lineage.digest}; the dense model here is {now}."
