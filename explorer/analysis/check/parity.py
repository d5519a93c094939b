"""Does every form of it answer the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence
from explorer.errors import ExplorerError
from explorer.export.onnx_model import masked_in_onnx
from explorer.export.onnx_process import why_no_onnx
from explorer.export.outputs import apart, flips, outputs
from explorer.export.proof import Check as Tried
from explorer.export.slim import proven
from explorer.export.weights import pruned_file
from explorer.models import open_upload
from explorer.models.from_onnx.step import OpaqueStep
from explorer.params import param
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Split


@dataclass(frozen=True)
class Parity(CheckRule):
    """The candidate, saved and opened again, in ONNX Runtime, and, where whole units went, cut out: the largest
    difference of an output, relative to the largest one, against ``most``; and no answer changes.
    """

    key: ClassVar[str] = "parity"
    label: ClassVar[str] = "parity"
    question: ClassVar[str] = "Do its saved, smaller and converted forms answer the same?"

    most: float = param(1e-4, "most", low=0, high=1, help="the largest difference, relative to the largest output")
    samples: int = param(256, "samples", low=1, high=1_000_000, help="how many samples the forms are compared on")
    onnx: bool = param(True, "in ONNX Runtime", help="convert it too, where onnx is installed")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """The largest difference of any form that was tried."""
        split = Split(evidence.split.name, evidence.split.x[: self.samples], _first(evidence, self.samples))
        tried = list(self._tried(evidence, split))
        rows = tuple({"form": t.name, "ok": t.ok, "difference": t.value, "why": t.sentence} for t in tried)
        compared = [t for t in tried if t.name.startswith("same_outputs") and t.value is not None]
        if not compared:
            return self.says("cannot tell", tried[0].sentence if tried else "Nothing was tried.", rows=rows)
        value = evidence.measured("difference", max(t.value or 0.0 for t in compared), "relative", n=len(split))
        n_flips = sum(int(t.value or 0) for t in tried if t.name.startswith("same_predictions"))
        names = ", ".join(t.name.removeprefix("same_outputs").strip("_") or "cut out" for t in compared)
        not_tried = " ".join(t.sentence for t in tried if t.ok is None)
        why = f"Compared: {names}; {n_flips:,} answers differ. {not_tried}".strip()
        broken = any(t.ok is False and t.value is None for t in tried)
        if n_flips > 0 or broken:
            return self.says("fail", why, value, limit=self.most, rows=rows)
        if value.value <= self.most:
            return self.says("pass", why, value, limit=self.most, rows=rows)
        if _rounds(evidence.candidate):
            why = f"{why} It rounds what passes between layers, where the last digit of a sum decides a whole step."
            return self.says("warn", why, value, limit=self.most, rows=rows)
        return self.says("fail", why, value, limit=self.most, rows=rows)

    def _tried(self, evidence: CheckEvidence, split: Split) -> Iterator[Tried]:
        yield from _reloaded(evidence, split)
        if evidence.plan is not None and evidence.plan.kept_shapes:
            try:
                yield from proven(evidence.dense, evidence.plan, split).proof.checks
            except ExplorerError as error:
                yield Tried("same_outputs", None, None, f"Not cut out: {error}")
        elif self.onnx:
            yield from _in_onnx(evidence, split)


def _rounds(model: LoadedModel) -> bool:
    """Whether its outputs are in steps: those between its layers are rounded to whole numbers."""
    parts = () if model.module is None else model.module.modules()
    return any("quantize" in part.kind for part in parts if isinstance(part, OpaqueStep))


def _first(evidence: CheckEvidence, n: int) -> Tensor | None:
    return None if evidence.labels is None else evidence.labels[:n]


def _reloaded(evidence: CheckEvidence, split: Split) -> Sequence[Tried]:
    model = evidence.candidate
    try:
        content = pruned_file(model, make_plan(model, PruneSpec()))
        again = open_upload(content, "candidate.safetensors")
    except ExplorerError as error:
        return [Tried("same_outputs_reloaded", None, None, f"Not saved and opened again: {error.what}")]
    if again.module is None:
        return [Tried("same_outputs_reloaded", None, None, "Not opened again: its file does not say its architecture.")]
    one, other = outputs(runnable(model), split.x, model.code_seconds), outputs(again.module, split.x)
    difference, n_flips = apart(one, other), flips(one, other, split.y)
    return [
        Tried("same_outputs_reloaded", True, difference, "Saved and opened again."),
        Tried("same_predictions_reloaded", n_flips == 0, float(n_flips), f"{n_flips} predictions change."),
    ]


def _in_onnx(evidence: CheckEvidence, split: Split) -> Sequence[Tried]:
    absent = why_no_onnx()
    if absent:
        return [Tried("same_outputs_onnx", None, None, f"Not converted: {absent}")]
    model = evidence.candidate
    try:
        return masked_in_onnx(model, make_plan(model, PruneSpec()), split).checks
    except ExplorerError as error:
        return [Tried("same_outputs_onnx", None, None, f"Not converted: {error.what} {error.why}".strip())]
