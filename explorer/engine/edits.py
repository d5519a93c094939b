"""Many small edits of one model over the same batches, each run from where it begins to matter.

A sensitivity scan asks for hundreds of models that differ from the dense one in a single
layer. Walking through the layers in order, the dense values just before each of them are made
once for a batch, and each edit runs only the steps that follow.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.engine.program import Part, Program, n_bytes
from explorer.engine.ready import Ready, close_calls, logits_of
from explorer.pruning.apply import private_shell

Values = Mapping[fx.Node, Any]
_NONE: Values = {}


class Edit:
    """Some parameters of a model masked, everything else as it is.

    ``masks[parameter]``: bool, the parameter's shape, True keeps.
    """

    def __init__(self, ready: Ready, masks: Mapping[str, Tensor]) -> None:
        self._ready = ready
        self._cut = {name: ~mask.to(ready.device) for name, mask in masks.items() if not bool(mask.all())}
        self._replaced: dict[int, Tensor] = {}
        self._own: dict[tuple[int, Program], dict[fx.Node, Any]] = {}

    def part(self, program: Program) -> Part:
        """The steps to run for this edit."""
        return program.part(self._cut)

    def place(self, program: Program) -> int:
        """Where in the program the edit begins; one that changes nothing comes last."""
        return min((program.place(node) for node in self.part(program).changed), default=len(program.nodes))

    def own(self, program: Program) -> Values:
        """This thread's own modules for the steps whose parameters are masked."""
        key = (threading.get_ident(), program)
        if key not in self._own:
            self._own[key] = {node: self._made(program, node) for node in self.part(program).changed}
        return self._own[key]

    def release(self) -> None:
        """Forget the masked tensors; they are made again when they are needed."""
        self._replaced, self._own = {}, {}

    def _made(self, program: Program, node: fx.Node) -> Any:
        found = program.module_of(self._ready.steps, node)
        replaced = self._masked()
        return private_shell(found, replaced) if isinstance(found, nn.Module) else replaced[id(found)]

    def _masked(self) -> Mapping[int, Tensor]:
        if not self._replaced:
            parameters = self._ready.parameters
            self._replaced = {
                id(parameters[name]): parameters[name].detach().masked_fill(cut, 0) for name, cut in self._cut.items()
            }
        return self._replaced


class Walk:
    """Runs edits batch by batch and keeps each batch's place in the model for the next edits.

    Give edits in the order of :meth:`Edit.place`, over several calls too: then the dense steps
    before them run once for each batch. ``memory_limit`` bounds the bytes kept; a batch past it
    starts from its samples again. Batches may run in several threads at once.
    """

    def __init__(self, ready: Ready, memory_limit: int) -> None:
        self.ready = ready
        self.limit = memory_limit
        self.n_bytes = 0
        self.full = False  # something did not fit
        self._kept: dict[Hashable, Values] = {}
        self._shells: dict[int, nn.Module] = {}
        self._lock = threading.Lock()

    def outputs(self, batch: Hashable, x: Tensor, edits: Sequence[Edit]) -> Tensor:
        """(edits, n, classes) of one batch's samples; first choices are those of the plain model.

        ``batch`` names the samples: equal names mean equal samples.
        """
        with torch.inference_mode():
            program, x = self.ready.programs[0], self.ready.input(x)
            known = self._taken(batch)
            found = []
            for edit in edits:
                part = edit.part(program)
                known = program.advance(self._shell(), x, part.frontier, known)
                found.append(logits_of(program.run_part(self._shell(), part, x, known, edit.own(program))))
            self._keep(batch, known)
            return self._settled(torch.stack(found), x, edits)

    def _settled(self, logits: Tensor, x: Tensor, edits: Sequence[Edit]) -> Tensor:
        """Close calls decided by the plain model."""
        plain = self.ready.programs[-1]
        if self.ready.programs[0] is plain:
            return logits
        close = close_calls(logits)
        for index in torch.nonzero(close.any(dim=1)).flatten().tolist():
            which = close[index]
            logits[index, which] = self.plain_outputs(x[which], edits[index])
        return logits

    def plain_outputs(self, x: Tensor, edit: Edit) -> Tensor:
        """(n, classes) by the plain model, from the samples on."""
        plain = self.ready.programs[-1]
        part = edit.part(plain)
        known = plain.advance(self._shell(), x, part.frontier, _NONE)
        return logits_of(plain.run_part(self._shell(), part, x, known, edit.own(plain)))

    def _shell(self) -> nn.Module:
        thread = threading.get_ident()
        if thread not in self._shells:
            self._shells[thread] = private_shell(self.ready.steps)
        return self._shells[thread]

    def _taken(self, batch: Hashable) -> Values:
        with self._lock:
            known = self._kept.pop(batch, _NONE)
            self.n_bytes -= sum(n_bytes(value) for value in known.values())
            return known

    def _keep(self, batch: Hashable, known: Values) -> None:
        size = sum(n_bytes(value) for value in known.values())
        with self._lock:
            if self.n_bytes + size > self.limit:
                self.full = True
                return
            self._kept[batch] = known
            self.n_bytes += size
