"""The same steps in bfloat16, for models and machines where that is faster."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.engine.folding import Folded
from explorer.engine.layout import FIRST
from explorer.engine.prepared import PreparedModel, logits_of
from explorer.engine.program import Program, ProgramPart
from explorer.errors import ExplorerError
from explorer.pruning.apply import private_shell
from explorer.text.numbers import percent
from explorer.types import Split
from explorer.types.aliases import GraphValue
from explorer.types.inputs import Inputs, mapped

_NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
_FASTER = 0.8  # of the float32 time: slower than that is not worth the recheck
_ALIKE = 0.9  # of the first batch's choices: a model that bfloat16 breaks is left alone
_FEWEST = 1000  # samples: each edit runs its first ones twice
_TURNS = 3


class Float32(nn.Module):
    """The last layer as it is: its outputs are compared, so they keep their digits."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(n, in) -> (n, classes) float32."""
        out: Tensor = self.inner(x.float())
        return out


class LowPrecision:
    """The preferred program with its weights and values in bfloat16, sums in float32 inside each step."""

    def __init__(self, ready: PreparedModel) -> None:
        self.program: Program = ready.programs[0]
        self._steps = ready.steps
        last = self.program.output.all_input_nodes
        self._last = last[0] if len(last) == 1 else None
        self._own: dict[int, Mapping[fx.Node, GraphValue]] = {}
        self._last_known = threading.local()

    def module(self, node: fx.Node, replaced: Mapping[int, Tensor]) -> GraphValue:
        """One step's module (or tensor) in bfloat16, with some parameters replaced."""
        module = self.program.module_of(self._steps, node)
        if isinstance(module, Tensor):
            return lowered(replaced.get(id(module), module))
        if not isinstance(module, nn.Module):
            return module
        if node is self._last and type(module) is nn.Linear:
            return Float32(private_shell(module, replaced))
        if isinstance(module, Folded):
            step = module.around(replaced)
            step.dtype = torch.bfloat16
            return step
        own = {
            id(p): lowered(replaced.get(id(p), p).detach())
            for part in module.modules()
            if not isinstance(part, _NORMS)
            for p in part.parameters(recurse=False)
        }
        return private_shell(module, {**replaced, **own})

    def run(
        self, part: ProgramPart, x: Inputs, at_frontier: Mapping[fx.Node, GraphValue], own: Mapping[fx.Node, GraphValue]
    ) -> Tensor:
        """(n, classes) float32, from float32 values at the part's frontier."""
        base = self._own.get(threading.get_ident())
        if base is None:
            named = [n for n in self.program.nodes if n.op in ("call_module", "get_attr")]
            base = self._own[threading.get_ident()] = {n: self.module(n, {}) for n in named}
        if getattr(self._last_known, "known", None) is not at_frontier:  # the edits of one place share their frontier
            self._last_known.known = at_frontier
            self._last_known.values = {node: lowered(value) for node, value in at_frontier.items()}
        values = self._last_known.values
        return logits_of(self.program.run_part(nn.Module(), part, mapped(x, lowered), values, {**base, **own}), len(x))

    def forget(self) -> None:
        """Let go of the values that this thread ran from last."""
        self._last_known.known = self._last_known.values = None


def lowered(value: object) -> GraphValue:
    """Floating-point tensors in bfloat16, everything else as it is."""
    return value.bfloat16() if isinstance(value, Tensor) and value.is_floating_point() else value


def low_precision(ready: PreparedModel, split: Split) -> tuple[LowPrecision | None, str]:
    """The model in bfloat16, or None and the reason in a sentence. Tries both on the first batch."""
    if ready.device != "cpu" or ready.dtype != torch.float32:
        return None, f"bfloat16 is tried on the processor's float32 models only, not on {ready.device}, {ready.dtype}."
    if ready.task == "labels":
        return None, "Each label is a choice of its own, of which no margin says how sure it is."
    if len(split) < _FEWEST:
        return None, f"{len(split)} samples are too few to make up for trying bfloat16."
    low, program = LowPrecision(ready), ready.programs[0]
    part, shell = program.part(()), private_shell(ready.steps)
    with torch.inference_mode():
        x = ready.input(split.x[:FIRST])
        everything = program.part(program.parameters)

        def plainly() -> Tensor:
            values = program.advance(shell, x, part.frontier, {})
            return logits_of(program.run_part(shell, part, x, values), len(x))

        def quickly() -> Tensor:
            return low.run(everything, x, program.advance(shell, x, everything.frontier, {}), {})

        try:
            outputs = plainly()
            if outputs.shape[1] < 2:
                return None, "One output is the whole choice: no margin says how sure it is."
            alike = float((outputs.argmax(dim=1) == quickly().argmax(dim=1)).double().mean())
        except (ExplorerError, RuntimeError, TypeError) as error:  # a step without a bfloat16 form
            return None, f"A step cannot run in bfloat16 ({str(error).splitlines()[0][:100]})."
        if alike < _ALIKE:
            return None, f"In bfloat16 only {percent(alike)} of the first predictions stay."
        slow, fast = _seconds(plainly), _seconds(quickly)
    if fast > _FASTER * slow:
        return None, f"bfloat16 is not faster here ({slow / fast:.1f}x)."
    return low, ""


def _seconds(job: Callable[[], Any]) -> float:
    """The least processor time of a few turns."""
    turns = []
    for _ in range(_TURNS):
        start = time.thread_time()
        job()
        turns.append(time.thread_time() - start)
    return min(turns)
