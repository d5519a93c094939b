"""What does it cost to store and to run?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.analysis.check.base import CheckRule, Outcome
from explorer.analysis.check.evidence import CheckEvidence, file_of
from explorer.export.sizes import file_sizes
from explorer.metrics.interval import Interval
from explorer.metrics.latency import latency
from explorer.metrics.memory import memory
from explorer.params import param
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.running import runnable
from explorer.pruning.spec import PruneSpec
from explorer.text.numbers import bytes_counted, bytes_text, times
from explorer.types import LoadedModel, Measurement
from explorer.types.aliases import JsonObject


@dataclass(frozen=True)
class Cost(CheckRule):
    """The bytes of the very file, against ``max_bytes`` where one is given; and, where time is asked for, the ratio of
    times candidate / dense, taken in turns, with its 95 % interval, against ``most``.
    """

    key: ClassVar[str] = "cost"
    label: ClassVar[str] = "cost"
    question: ClassVar[str] = "Is it as small and as quick as asked?"

    max_bytes: int = param(0, "most bytes", low=0, high=2**50, help="of the file; 0 asks for nothing")
    most: float = param(1.05, "most time", low=0, high=1000, help="time / time of the dense model, where it is timed")

    def outcome(self, evidence: CheckEvidence) -> Outcome:
        """Time where it was asked for, else bytes."""
        before, after = file_bytes(evidence.dense), file_bytes(evidence.candidate)
        sizes = f"{bytes_counted(after.value)}; the dense model's file has {bytes_counted(before.value)}."
        rows = (_row("file", before, after), *_memory(evidence))
        if self.max_bytes and after.value > self.max_bytes:
            why = f"{sizes} It is larger than {bytes_text(self.max_bytes)}."
            return self.says("fail", why, after, limit=self.max_bytes, rows=rows)
        if evidence.times:
            return self._timed(evidence, sizes, rows)
        why = sizes if self.max_bytes else f"{sizes} No limit was asked for, and no time was measured."
        return self.says("pass", why, after, limit=self.max_bytes or None, rows=rows)

    def _timed(self, evidence: CheckEvidence, sizes: str, rows: tuple[JsonObject, ...]) -> Outcome:
        time = timed(evidence)
        value = time.ratio
        rows = (*rows, {"name": "milliseconds", "before": time.before.value, "after": time.after.value})
        why = f"{times(value.value)} the dense model's time for one input. {sizes}"
        if value.low is None or value.high is None:
            return self.says("cannot tell", f"Too few pairs of passes. {sizes}", value, limit=self.most, rows=rows)
        status = "pass" if value.high <= self.most else "fail" if value.low > self.most else "cannot tell"
        return self.says(status, why, value, limit=self.most, rows=rows)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Timed:
    """Times of one input in turns: ``ratio`` is candidate / dense with its interval, the others milliseconds."""

    ratio: Measurement
    before: Measurement
    after: Measurement


def timed(evidence: CheckEvidence) -> Timed:
    """Both models, in turns, as often as the evidence says."""
    dense, candidate = runnable(evidence.dense), runnable(evidence.candidate)
    example = evidence.dense.example if evidence.dense.example is not None else evidence.split.x[:1]
    timing = latency(dense, candidate, example, pairs=evidence.times, seed=evidence.seed)
    ratio = timing.ratio  # dense / candidate
    ends = None if ratio.low is None or not ratio.high else Interval(1 / ratio.high, 1 / ratio.low)
    value = evidence.measured("time_ratio", 1 / ratio.value, "x", ends, n=ratio.n)
    return Timed(value, timing.dense, timing.pruned)


def file_bytes(model: LoadedModel) -> Measurement:
    """The bytes of the very file; of a model that is none, of the file that export would write."""
    path = file_of(model)
    if path is not None:
        note = "The file itself."
        return Measurement("bytes", path.stat().st_size, "bytes", "measured", note=note)
    sizes = file_sizes(model, make_plan(model, PruneSpec()))
    return Measurement("bytes", sizes["dense_file"].value, "bytes", "counted", note="As export would write it.")


def _memory(evidence: CheckEvidence) -> tuple[JsonObject, ...]:
    if evidence.dense.example is None or not evidence.times:
        return ()
    held = memory(runnable(evidence.dense), runnable(evidence.candidate), evidence.dense.example)
    parts = ("weights", "activations")
    return tuple(_row(f"memory, {part}", held[f"{part}_dense"], held[f"{part}_pruned"]) for part in parts)


def _row(name: str, before: Measurement, after: Measurement) -> JsonObject:
    return {"name": name, "before": before.value, "after": after.value, "unit": "bytes", "origin": after.origin}
