"""Edits in bfloat16, with everything that is not clearly decided run again in float32."""

from __future__ import annotations

import random
import threading
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, fx

from explorer.engine.edits import Batch, Edit, Walk
from explorer.engine.low import LowPrecision
from explorer.engine.prepared import PreparedModel, Values, close_calls, logits_of
from explorer.engine.program import ProgramPart
from explorer.types.inputs import Inputs, joined


class Audit(NamedTuple):
    """Of ``n`` samples that needed no second run, ``n_equal`` got the same choice in one."""

    n: int = 0
    n_equal: int = 0


class _Doubt(NamedTuple):
    """Samples of one batch to run again: their rows at the frontier (None where there are no rows).

    ``audited`` is the place among them of one that bfloat16 was sure of, and ``choice`` what
    it chose; -1 where there is none.
    """

    name: Hashable
    which: Tensor
    x: Inputs
    frontier: dict[fx.Node, Tensor] | None
    audited: int
    choice: int


class VerifiedWalk(Walk):
    """A walk whose outputs are bfloat16's, and float32's wherever the choice could differ.

    The first samples of an edit's first batch run in both; from them the noise is known. Any other sample whose
    margin is small beside that noise runs again in float32 from the edit's own frontier on, and so does
    now and then a sample whose margin is not: the audit.
    """

    learns = True
    n_learned = 64  # samples of the first batch that run in both
    # A margin is small below so many standard deviations of the noise, or so many times the largest noise seen. Chosen
    # after seeing the digits models (1,797 images, both granularities) and 256 images of a ResNet-20. The
    # largest margin at which bfloat16 changed a choice was, in standard deviations: 2.9 in the digits models with
    # convolutions, 3.9 in the ResNet, 6.8 in the fully connected model and 12.1 in the vision transformer. The
    # last two have outliers, which the second number is for; it does not catch all of them, so the audit counts.
    deviations, largest = 5.0, 2.0

    def __init__(self, ready: PreparedModel, memory_limit: int, low: LowPrecision) -> None:
        super().__init__(ready, memory_limit)
        self._low = low
        self._noise: dict[Edit | ProgramPart, float] = {}
        self._audits: dict[Edit, Audit] = {}
        self._audit_lock = threading.Lock()
        self._doubts = threading.local()  # .open: what this thread's call of outputs left open

    def audit(self, edit: Edit) -> Audit:
        """What the second runs of one edit's samples came to."""
        return self._audits.get(edit, Audit())

    def outputs(self, batches: Sequence[Batch], edits: Sequence[Edit]) -> list[Tensor]:
        """(edits, n, classes) for each batch; what is open in several batches is run again at once."""
        with torch.inference_mode():
            doubts: dict[Edit, list[_Doubt]] = {edit: [] for edit in edits}
            self._doubts.open = doubts
            batch_outputs = [self._along(batch, edits) for batch in batches]
            self._low.forget()
            position = {batch.name: at for at, batch in enumerate(batches)}
            for index, (edit, open_) in enumerate(doubts.items()):
                if open_:
                    for doubt, outputs in zip(open_, self._decided(edit, open_), strict=True):
                        batch_outputs[position[doubt.name]][index, doubt.which] = outputs
            return [
                self._settled(outputs, batch.x, edits) for outputs, batch in zip(batch_outputs, batches, strict=True)
            ]

    def _outputs(self, batch: Batch, x: Inputs, edit: Edit, values: Values) -> Tensor:
        outputs = self._low.run(edit.part(self._low.program), x, values, edit.own(self._low.program, self._low.module))
        within, n_known = self._threshold(x, edit, values, outputs)
        again = close_calls(outputs, within)
        again[:n_known] = False
        audited = self._audited(batch, edit, again)
        audits = audited >= n_known and not bool(again[audited])
        if audits:
            again[audited] = True
        if bool(again.any()):
            rows = {node: value[again] for node, value in values.items() if _by_sample(value, len(x))}
            choice = int(outputs[audited].argmax()) if audits else -1
            place = int(again[:audited].sum()) if audits else -1
            frontier = rows if len(rows) == len(values) else None
            self._doubts.open[edit].append(_Doubt(batch.name, again, x[again], frontier, place, choice))
        return outputs

    def _threshold(self, x: Inputs, edit: Edit, values: Values, low: Tensor) -> tuple[float, int]:
        """Below which margin a sample of this edit is doubtful, and how many of ``low`` have become float32's."""
        if (within := self._noise.get(edit)) is not None:
            return within, 0
        n, rows = self._first(x, values)
        exact = self._run(edit, x[:n], rows)
        within = self._noise[edit] = self._doubtful_below(low[:n], exact)
        sure = ~close_calls(low[:n], within)
        equal = low[:n].argmax(dim=1) == exact.argmax(dim=1)
        self._note(edit, int(sure.sum()), int(equal[sure].sum()))
        low[:n] = exact
        return within, n

    def _first(self, x: Inputs, values: Values) -> tuple[int, Values]:
        """How many samples of a first batch run in both precisions, and their values at the frontier."""
        if len(x) <= self.n_learned or not all(_by_sample(value, len(x)) for value in values.values()):
            return len(x), values
        return self.n_learned, {node: value[: self.n_learned] for node, value in values.items()}

    def _doubtful_below(self, low: Tensor, exact: Tensor) -> float:
        """The threshold for margins, from the same samples' outputs in both precisions."""
        choices = low.topk(min(2, low.shape[1]), dim=1).indices
        noise = (low - exact).gather(1, choices)
        noise = (noise[:, 0] - noise[:, -1]).abs() / low.abs().amax(dim=1).clamp_min(1e-30)
        return max(self.deviations * float(noise.square().mean().sqrt()), self.largest * float(noise.max()))

    def _audited(self, batch: Batch, edit: Edit, doubtful: Tensor) -> int:
        """A sample of the batch to run again though it may not be doubtful; -1 for none."""
        return _drawn(f"{batch.name} {edit.place(self._low.program)}", len(doubtful))

    def _decided(self, edit: Edit, doubts: Sequence[_Doubt]) -> tuple[Tensor, ...]:
        """The float32 outputs of all doubtful samples of one edit, batch by batch."""
        x = joined([doubt.x for doubt in doubts])
        frontier = edit.part(self.ready.programs[0]).frontier
        if any(doubt.frontier is None for doubt in doubts):
            values = self.ready.programs[0].advance(self._shell(), x, frontier, {})
        else:
            values = {node: torch.cat([(doubt.frontier or {})[node] for doubt in doubts]) for node in frontier}
        sizes = [len(doubt.x) for doubt in doubts]
        outputs: tuple[Tensor, ...] = torch.split(self._run(edit, x, values), sizes)  # type: ignore[no-untyped-call]
        for doubt, output in zip(doubts, outputs, strict=True):
            if doubt.audited >= 0:
                self._note(edit, 1, int(int(output[doubt.audited].argmax()) == doubt.choice))
        return outputs

    def _note(self, edit: Edit, n: int, n_equal: int) -> None:
        with self._audit_lock:
            so_far = self._audits.get(edit, Audit())
            self._audits[edit] = Audit(so_far.n + n, so_far.n_equal + n_equal)


class QuickWalk(VerifiedWalk):
    """The same for estimates, whose own uncertainty is far larger than what bfloat16 changes.

    The dense model tells the noise of all edits that begin at one place, and nothing is audited. Of the
    models named above about one choice in 10,000 stays wrong in the transformer, fewer in the others.
    """

    deviations, largest = 4.0, 0.0

    def _threshold(self, x: Inputs, edit: Edit, values: Values, low: Tensor) -> tuple[float, int]:
        part = edit.part(self._low.program)
        if (within := self._noise.get(part)) is None:
            n, rows = self._first(x, values)
            exact = logits_of(self._low.program.run_part(self._shell(), part, x[:n], rows), n)
            within = self._noise[part] = self._doubtful_below(self._low.run(part, x[:n], rows, {}), exact)
        return within, 0

    def _audited(self, batch: Batch, edit: Edit, doubtful: Tensor) -> int:
        return -1


def _by_sample(value: object, n: int) -> bool:
    return isinstance(value, Tensor) and value.dim() > 0 and len(value) == n


def _drawn(occasion: str, n: int) -> int:
    """A sample on every second occasion, always the same one on the same occasion; otherwise -1."""
    generator = random.Random(occasion)
    return generator.randrange(n) if generator.random() < 0.5 else -1
