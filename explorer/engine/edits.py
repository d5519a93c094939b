"""Many small edits of one model over the same batches, each run from where it begins to matter.

A sensitivity scan asks for hundreds of models that differ from the dense one in a single
layer. Walking through the layers in order, the dense values just before each of them are made
once for a batch, and each edit runs only the steps that follow.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from explorer.engine.prepared import PreparedModel, Values, logits_of
from explorer.engine.program import Program, ProgramPart, n_bytes
from explorer.pruning.apply import private_shell
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs

Updates = Callable[[], Mapping[str, Tensor]]
Made = Callable[[fx.Node, Mapping[int, Tensor]], Any]
_NONE: Values = {}


class Batch(NamedTuple):
    """Samples to run, and their name: equal names mean equal samples."""

    name: Hashable
    x: Inputs


class Edit:
    """Some parameters of a model masked, everything else as it is.

    ``masks[parameter]``: bool, the parameter's shape, True keeps. ``updates`` gives new values of
    kept weights, by parameter, where something makes up for what goes; it is asked when they are needed.
    """

    def __init__(self, ready: PreparedModel, masks: Mapping[str, Tensor], updates: Updates = dict) -> None:
        self._ready = ready
        self._updates = updates
        self._cut = {name: ~mask.to(ready.device) for name, mask in masks.items() if not bool(mask.all())}
        self._replaced: dict[int, Tensor] = {}
        self._own: dict[tuple[int, object], dict[fx.Node, GraphValue]] = {}

    def part(self, program: Program) -> ProgramPart:
        """The steps to run for this edit."""
        return program.part(self._cut)

    def place(self, program: Program) -> int:
        """Where in the program the edit begins; one that changes nothing comes last."""
        return min((program.place(node) for node in self.part(program).changed), default=len(program.nodes))

    def own(self, program: Program, derived: Made | None = None) -> Values:
        """This thread's own modules for the steps whose parameters are masked.

        ``derived`` turns a step and the masked tensors (by the id of what they replace) into a
        module; by default it is the step's own with those tensors.
        """
        key = (threading.get_ident(), derived or program)
        if key not in self._own:
            masked = self._masked()
            make = derived or partial(self._ready.masked, program)
            self._own[key] = {node: make(node, masked) for node in self.part(program).changed}
        return self._own[key]

    def release(self) -> None:
        """Forget the masked tensors; they are made again when they are needed."""
        self._replaced, self._own = {}, {}

    def _masked(self) -> Mapping[int, Tensor]:
        if not self._replaced:
            parameters, device = self._ready.parameters, self._ready.device
            values = {**parameters, **{name: new.to(device) for name, new in self._updates().items()}}
            self._replaced = {
                id(parameters[name]): values[name].detach().masked_fill(cut, 0) for name, cut in self._cut.items()
            }
        return self._replaced


class Walk:
    """Runs edits batch by batch and keeps each batch's place in the model for the next edits.

    Give edits in the order of :meth:`Edit.place`, over several calls too: then the dense steps
    before them run once for each batch. ``memory_limit`` bounds the bytes kept; a batch past it
    starts from its samples again. Batches may run in several threads at once; where a walk
    ``learns`` from an edit's first batch, that one must end before the others start.
    """

    learns = False

    def __init__(self, ready: PreparedModel, memory_limit: int) -> None:
        self.ready = ready
        self.limit = memory_limit
        self.n_bytes = 0
        self.full = False  # something did not fit
        self._kept: dict[Hashable, Values] = {}
        self._ahead: tuple[fx.Node, ...] = ()  # what a batch's first pass makes at once
        self._shells: dict[int, nn.Module] = {}
        self._lock = threading.Lock()

    def look_ahead(self, edits: Iterable[Edit], n_samples: int) -> bool:
        """Let a batch's first pass run to the end and keep all that the edits will begin from, if so much fits.

        Then no dense pass is needed beside the walk: :meth:`dense` has its outputs.
        """
        program = self.ready.programs[0]
        last = program.output.args[0]
        frontiers = (node for edit in edits for node in edit.part(program).frontier)
        nodes = dict.fromkeys((last, *frontiers))  # the outputs come first
        size = sum(program.n_bytes.get(node, math.inf) for node in nodes if isinstance(node, fx.Node))
        fits = isinstance(last, fx.Node) and n_samples * size <= self.limit
        self._ahead = tuple(node for node in nodes if isinstance(node, fx.Node)) if fits else ()
        return bool(self._ahead)

    def dense(self, batch: Batch) -> Tensor | None:
        """(n, ...) the dense model's outputs for a batch, best after it was run; None where nothing was foreseen."""
        if not self._ahead:
            return None
        last, values = self._ahead[0], self._kept.get(batch.name, _NONE)
        with torch.inference_mode():
            if last not in values:
                program, x = self.ready.programs[0], self.ready.input(batch.x)
                values = program.advance(self._shell(), x, (last,), _NONE)
            outputs = logits_of(values[last], len(batch.x)).clone()
            return self._settled(outputs[None], batch.x, [Edit(self.ready, {})])[0]

    def outputs(self, batches: Sequence[Batch], edits: Sequence[Edit]) -> list[Tensor]:
        """(edits, n, ...) for each batch; first choices are those of the plain model."""
        with torch.inference_mode():
            return [self._settled(self._along(batch, edits), batch.x, edits) for batch in batches]

    def _along(self, batch: Batch, edits: Sequence[Edit]) -> Tensor:
        """(edits, n, ...) of one batch, by one walk through the model."""
        program, values = self.ready.programs[0], self._taken(batch)
        x, outputs = self.ready.input(batch.x), []
        part: ProgramPart | None = None
        here = _NONE
        for edit in edits:
            if edit.part(program) is not part:
                part = edit.part(program)
                if not all(node in values for node in (self._ahead or part.frontier)):
                    values = program.advance(self._shell(), x, self._ahead or part.frontier, values)
                here = {node: values[node] for node in part.frontier}
            outputs.append(self._outputs(batch, x, edit, here))
        values = values if self._ahead else here
        self._keep(batch, values)
        return torch.stack(outputs)

    def _outputs(self, batch: Batch, x: Inputs, edit: Edit, values: Values) -> Tensor:
        """(n, ...) of one edit, from the ``values`` at its frontier; close calls are open."""
        return self._run(edit, x, values)

    def _run(self, edit: Edit, x: Inputs, values: Values) -> Tensor:
        program = self.ready.programs[0]
        return logits_of(program.run_part(self._shell(), edit.part(program), x, values, edit.own(program)), len(x))

    def _settled(self, logits: Tensor, x: Inputs, edits: Sequence[Edit]) -> Tensor:
        """Close calls decided by the plain model."""
        if self.ready.programs[0] is self.ready.programs[-1]:
            return logits
        close = self.ready.undecided(logits.flatten(0, 1)).view(logits.shape[:2])
        for index in torch.nonzero(close.any(dim=1)).flatten().tolist():
            which = close[index]
            logits[index, which] = self._plain_outputs(self.ready.input(x[which]), edits[index])
        return logits

    def _plain_outputs(self, x: Inputs, edit: Edit) -> Tensor:
        plain = self.ready.programs[-1]
        part = edit.part(plain)
        values = plain.advance(self._shell(), x, part.frontier, _NONE)
        return logits_of(plain.run_part(self._shell(), part, x, values, edit.own(plain)), len(x))

    def _shell(self) -> nn.Module:
        thread = threading.get_ident()
        if thread not in self._shells:
            self._shells[thread] = private_shell(self.ready.steps)
        return self._shells[thread]

    def _taken(self, batch: Batch) -> Values:
        with self._lock:
            values = self._kept.pop(batch.name, _NONE)
            self.n_bytes -= sum(n_bytes(value) for value in values.values())
            return values

    def _keep(self, batch: Batch, values: Values) -> None:
        size = sum(n_bytes(value) for value in values.values())
        with self._lock:
            if self.n_bytes + size > self.limit:
                self.full = True
                return
            self._kept[batch.name] = values
            self.n_bytes += size
