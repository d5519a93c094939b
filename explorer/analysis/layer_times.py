"""Where the time of a forward pass goes: how many milliseconds each layer takes on this machine."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.metrics.latency import percentiles
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import private_shell
from explorer.pruning.running import runnable
from explorer.types import LoadedModel, Measurement
from explorer.types.code_limit import Limited
from explorer.types.inputs import call, repeated
from explorer.types.stopping import check

_WARMUP = 2
_FEWEST = 3


@dataclass(frozen=True)
class LayerTimes:
    """The median time in milliseconds of one pass over ``batch`` examples: of each layer that is a module and runs, of
    all that is between them (``rest``: activations, normalisation, additions, Python) and of the ``whole`` pass.

    ``low`` and ``high`` of each are the 10th and 90th percentile of ``n`` passes.
    """

    layers: Mapping[str, Measurement]
    rest: Measurement
    whole: Measurement
    n: int
    batch: int


def layer_times(
    model: LoadedModel, names: Collection[str], *, batch: int = 1, passes: int = 15, seconds: float = 10.0
) -> LayerTimes:
    """Time each module of ``names`` (paths in the network) while the whole network runs its example.

    What one of them calls of the others counts for the inner one alone, so that nothing is counted twice. The pass runs
    on a private shell around the same tensors. It ends after ``passes``, or after ``seconds``.

    Raises ExplorerError when the model cannot run or has no example.
    """
    if model.example is None:
        raise ExplorerError(f"{model.address} cannot be timed.", why="It has no example input.", fix="Give an example.")
    shell = private_shell(runnable(model))
    clock = _Clock()
    for name, module in shell.named_modules():
        if name in names:
            module.register_forward_pre_hook(clock.begins(name))
            module.register_forward_hook(clock.ends(name))
    x, end = repeated(model.example, batch), time.monotonic() + seconds

    def run() -> None:
        with torch.inference_mode():  # of the thread that runs it
            call(shell, x)

    with Limited(model.code_seconds, "A timed pass") as limited:
        for i in range(_WARMUP + passes):
            check()
            if time.monotonic() > end and len(clock.wholes) >= _FEWEST:
                break
            limited(partial(clock.one_pass, run))
            if i + 1 == _WARMUP:
                clock.forget()
    return clock.times(batch)


@dataclass
class _Clock:
    """Milliseconds of every pass. A stack of (name, begun, spent inside others) makes the times exclusive."""

    wholes: list[float] = field(default_factory=list)
    layers: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _now: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _stack: list[list[float]] = field(default_factory=list)

    def begins(self, name: str) -> Callable[[nn.Module, object], None]:
        def begin(module: nn.Module, inputs: object) -> None:
            self._stack.append([time.perf_counter(), 0.0])

        return begin

    def ends(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def end(module: nn.Module, inputs: object, output: object) -> None:
            begun, inside = self._stack.pop()
            spent = time.perf_counter() - begun
            self._now[name] += 1e3 * (spent - inside)
            if self._stack:
                self._stack[-1][1] += spent

        return end

    def one_pass(self, run: Callable[[], object]) -> None:
        self._now.clear()
        self._stack.clear()
        begun = time.perf_counter()
        run()
        self.wholes.append(1e3 * (time.perf_counter() - begun))
        for name, spent in self._now.items():
            self.layers[name].append(spent)

    def forget(self) -> None:
        self.wholes.clear()
        self.layers.clear()

    def times(self, batch: int) -> LayerTimes:
        rests = [whole - sum(of[i] for of in self.layers.values()) for i, whole in enumerate(self.wholes)]
        layers = {name: _measured(name, spent, batch) for name, spent in self.layers.items()}
        rest, whole = _measured("rest", rests, batch), _measured("whole", self.wholes, batch)
        return LayerTimes(layers, rest, whole, len(self.wholes), batch)


def _measured(name: str, spent: list[float], batch: int) -> Measurement:
    low, high = percentiles(spent)
    note = f"Median of {len(spent)} passes over {batch} inputs, with the 10th and 90th percentile."
    value = statistics.median(spent)
    return Measurement(name, value, "milliseconds", "measured", low, high, len(spent), batch, machine(), today(), note)
