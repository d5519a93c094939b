"""How long one forward pass takes on this machine, dense and pruned, measured side by side.

The two models take turns in random order, a pair at a time: whatever else the machine does meanwhile slows both
alike, so their ratio is trustworthy where the times alone are not. A pair during which the system took the processor
away for something else is left out of the ratio: it happens more often to the one that takes longer.
"""

from __future__ import annotations

import logging
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict, Unpack

import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.metrics.interval import Interval
from explorer.metrics.origin import machine, today
from explorer.text.numbers import times
from explorer.types import Measurement
from explorer.types.aliases import JsonDict
from explorer.types.code_limit import Limited
from explorer.types.inputs import Inputs, as_inputs, call, repeated, tensors_of
from explorer.types.stopping import check

try:
    import resource
except ImportError:  # Windows has no such count
    resource = None  # type: ignore[assignment]

Runtime = Literal["torch", "onnx"]
Runnable = nn.Module | Path | str | bytes
"""A torch module; for the runtime "onnx" the path or the bytes of an ONNX file."""
Example = Inputs | tuple[Tensor, ...]
_ROUND = 5
_FEWEST = 5
_FEWEST_WHOLE = 6


@dataclass(frozen=True)
class Latency:
    """Times of ``n`` of ``total`` pairs.

    ``dense`` and ``pruned``: the median in milliseconds for one batch, of the pairs that the ratio is of; ``low`` and
    ``high`` are the 10th and 90th percentile. ``ratio``: the median over pairs of dense / pruned (above 1 = pruned is
    faster), ``low`` and ``high`` its 95 % interval, ``n`` the pairs that were not interrupted, or all where that leaves
    fewer than 6.
    ``interrupted`` counts the others. ``threads`` is how many the runtime was given.
    """

    dense: Measurement
    pruned: Measurement
    ratio: Measurement
    n: int
    total: int
    batch: int
    threads: int
    runtime: Runtime
    machine: str
    interrupted: int = 0

    @property
    def complete(self) -> bool:
        """Whether all pairs were taken; when time ran out before, ``n`` says how many there are."""
        return self.n == self.total

    @property
    def settled(self) -> bool:
        """Whether the interval of the ratio leaves no doubt which of the two is faster."""
        low, high = self.ratio.low, self.ratio.high
        return low is not None and high is not None and (low > 1.0 or high < 1.0)

    def to_json(self) -> JsonDict:
        """One JSON-able object: milliseconds with their 10th and 90th percentile, and the ratio's interval."""
        return {
            "origin": "measured",
            "dense": _times(self.dense),
            "pruned": _times(self.pruned),
            "ratio": asdict(self.ratio),
            "pairs": self.n,
            "pairs_asked": self.total,
            "pairs_interrupted": self.interrupted,
            "batch": self.batch,
            "threads": self.threads,
            "runtime": self.runtime,
            "machine": self.machine,
            "date": self.ratio.date,
        }


class TimingOptions(TypedDict, total=False):
    """The options of :class:`Timing`, as keywords."""

    batch: int
    pairs: int
    warmup: int
    runtime: Runtime
    threads: int | None
    seconds: float
    seed: int
    code_seconds: float | None


@dataclass(frozen=True)
class Timing:
    """How two models are timed: pairs of passes over a batch, after some to warm up, for so many seconds at most.

    ``threads``: None for the runtime's default. ``seed`` draws which of a pair goes first. ``code_seconds``: after so
    long a pass of the user's own code is given up; None: never.
    """

    batch: int = 1
    pairs: int = 30
    warmup: int = 5
    runtime: Runtime = "torch"
    threads: int | None = None
    seconds: float = 30.0
    seed: int = 0
    code_seconds: float | None = None


def latency(
    dense: Runnable,
    pruned: Runnable,
    example: Example,
    **options: Unpack[TimingOptions],
) -> Latency:
    """The times of both models after all pairs, or as many (5 at least) as fit into the seconds of :class:`Timing`.

    ``example``: one input (1, ...), or several that go in together; it is repeated to the batch. Raises
    ExplorerError when a model does not run.
    """
    *_, last = refined(dense, pruned, example, **options)
    return last


def refined(
    dense: Runnable,
    pruned: Runnable,
    example: Example,
    **options: Unpack[TimingOptions],
) -> Iterator[Latency]:
    """As :func:`latency`, but what is known so far after every few pairs, for a screen that shows it live."""
    timing = Timing(**options)
    batch, pairs = timing.batch, timing.pairs
    _check(batch, pairs, timing.threads)
    inputs = batched(example, batch)
    n_threads = timing.threads or torch.get_num_threads()
    runs = [_runner(model, inputs, timing.runtime, n_threads) for model in (dense, pruned)]
    order = random.Random(timing.seed)
    pairs_timed: list[_Times] = []
    with Limited(timing.code_seconds, "A timed pass") as limited:
        n_first = max(1, timing.warmup)
        limited(lambda: _warm(runs, n_first, batch, n_threads), times=2 * n_first)
        began = time.perf_counter()
        while len(pairs_timed) < pairs:
            n = min(_ROUND, pairs - len(pairs_timed))
            # Between rounds the caller drew a screen or did something else: one untimed pair fills the caches again.
            n_untimed = 1 if pairs_timed else 0
            pairs_timed += limited(
                partial(_round, runs, (n_untimed, n), order, batch, n_threads), times=2 * (n_untimed + n)
            )
            yield _summary(pairs_timed, pairs, batch, n_threads, timing.runtime, _first(inputs).device)
            if len(pairs_timed) >= _FEWEST and time.perf_counter() - began > timing.seconds:
                return


def sentence(theoretical: Measurement | None, timing: Latency | None) -> str:
    """What may be said of speed: counted multiplications and measured time side by side, never the first alone.

    ``theoretical``: the ratio of MACs (``metrics.macs.theoretical_speedup``); None where it was not counted.
    """
    counted = f"Theoretical speed-up {times(theoretical.value)}, counted in multiplications" if theoretical else ""
    if timing is None:
        return f"{counted}; no time was measured." if counted else "No time was measured."
    return f"{counted}. {_measured(timing)}" if counted else _measured(timing)


def batched(example: Example, batch: int) -> Inputs:
    """The first input of the example, ``batch`` times."""
    first = tuple(part[:1] for part in example) if isinstance(example, tuple) else example
    return repeated(as_inputs(first), batch)


def median_interval(values: Sequence[float]) -> Interval | None:
    """The 95 % interval of a median from its ranks alone, whatever the distribution; None below 6 values.

    The narrowest pair of ranks, as far from either end, between which the median lies with 95 % or more.
    Source: Conover 1999, Practical Nonparametric Statistics, 3rd edition, section 3.2.
    """
    n = len(values)
    rank, outside = 0, 1
    while 2 * outside <= 0.05 * 2**n:
        rank += 1
        outside += math.comb(n, rank)
    if not rank:
        return None
    ranked = sorted(values)
    return Interval(ranked[rank - 1], ranked[n - rank])


def _measured(timing: Latency) -> str:
    ratio, n = timing.ratio, timing.n
    where = (
        f"batch {timing.batch}, {timing.threads} thread{'s' * (timing.threads > 1)}, {_pairs(timing)}, {timing.runtime}"
    )
    if 2 * timing.interrupted > n:
        where += f"; a busy machine, {timing.interrupted} pairs were interrupted"
    taken = f"medians of the same pairs: {timing.dense.value:.3g} ms dense, {timing.pruned.value:.3g} ms pruned"
    if ratio.low is None or ratio.high is None:
        return f"Measured {times(ratio.value)} the dense speed, from too few pairs to be sure ({taken}; {where})."
    interval = f"95 % interval {times(ratio.low)} to {times(ratio.high)}"
    if not timing.settled:
        return f"Measured: no difference in time beyond doubt ({interval}; {taken}; {where})."
    comparison = f"{times(ratio.value)} faster" if ratio.value > 1 else f"{times(1 / ratio.value)} slower"
    return f"Measured: {comparison} ({interval} of the dense speed; {taken}; {where})."


def _pairs(timing: Latency) -> str:
    """Which pairs the ratio and both medians are of: those that nothing interrupted, or all."""
    used = timing.ratio.n or timing.n
    return f"{used} pairs" if used == timing.n else f"the {used} of {timing.n} pairs that nothing interrupted"


def _check(batch: int, pairs: int, threads: int | None) -> None:
    for name, value in (("batch", batch), ("number of pairs", pairs), ("number of threads", threads or 1)):
        if value < 1:
            raise ExplorerError(f"The {name} is {value}.", why="It must be 1 or more.", fix="Give a larger number.")


class _Times(NamedTuple):
    """Milliseconds of one pair."""

    dense: float
    pruned: float
    interrupted: bool

    @property
    def ratio(self) -> float:
        return self.dense / self.pruned if self.pruned else math.inf


def _round(
    runs: Sequence[Callable[[], object]], pairs: tuple[int, int], order: random.Random, batch: int, threads: int
) -> list[_Times]:
    """The times of the second number of ``pairs``, after the first number of untimed ones."""
    _warm(runs, pairs[0], batch, threads)
    with _threads(threads):
        return [_one_pair(runs, order) for _ in range(pairs[1])]


def _one_pair(runs: Sequence[Callable[[], object]], order: random.Random) -> _Times:
    check()
    taken, before = [0.0, 0.0], _n_interruptions()
    for which in order.sample((0, 1), 2):
        taken[which] = _milliseconds(runs[which])
    return _Times(taken[0], taken[1], _n_interruptions() > before)


def _n_interruptions() -> int:
    """How often the system took the processor away from this process; 0 where it does not say."""
    return 0 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _summary(
    times: Sequence[_Times], total: int, batch: int, threads: int, runtime: Runtime, device: torch.device
) -> Latency:
    where, n = machine(str(device)), len(times)
    whole = [pair for pair in times if not pair.interrupted]
    used = whole if len(whole) >= _FEWEST_WHOLE else times
    ratios = [pair.ratio for pair in used]

    def measured(name: str, values: Sequence[float], unit: str, ends: Interval | None, note: str) -> Measurement:
        low, high = ends or (None, None)
        value = statistics.median(values)
        return Measurement(name, value, unit, "measured", low, high, len(values), batch, where, today(), note)

    note = f"Median of {len(used)}; low and high are the 10th and 90th percentile. {threads} threads, {runtime}."
    summary = "Median over interleaved pairs of dense / pruned time; above 1 the pruned model is faster."
    dense, pruned = (
        measured(name, taken, "milliseconds", percentiles(taken), note)
        for name, taken in (("dense", [t.dense for t in used]), ("pruned", [t.pruned for t in used]))
    )
    ratio = measured("latency_ratio", ratios, "x", median_interval(ratios), summary)
    interrupted = sum(pair.interrupted for pair in times)
    return Latency(dense, pruned, ratio, n, total, batch, threads, runtime, where, interrupted)


def percentiles(values: Sequence[float]) -> Interval:
    """The 10th and the 90th percentile, each a value that occurs."""
    ranked = sorted(values)
    last = len(ranked) - 1
    return Interval(ranked[round(0.1 * last)], ranked[round(0.9 * last)])


def _times(m: Measurement) -> dict[str, float | None]:
    return {"ms": m.value, "p10": m.low, "p90": m.high}


def _milliseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start) / 1e6


def _warm(runs: Sequence[Callable[[], object]], n: int, batch: int, threads: int) -> None:
    try:
        with _threads(threads):
            for _ in range(n):
                for run in runs:
                    check()
                    run()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        first_line = (str(error).splitlines() or [""])[0][:160]
        what = f"The model does not run with a batch of {batch}."
        logging.getLogger(__name__).exception(what)
        raise ExplorerError(what, why=f"{first_line}.", fix="Use a batch of 1.") from error


@contextmanager
def _threads(n: int) -> Iterator[None]:
    before = torch.get_num_threads()
    if n == before:
        yield
        return
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _runner(model: Runnable, inputs: Inputs, runtime: Runtime, threads: int) -> Callable[[], object]:
    if runtime == "onnx":
        if isinstance(model, nn.Module):
            fix = "Export both models to ONNX first, or measure in torch."
            raise ExplorerError("ONNX Runtime needs an ONNX file, not a torch module.", fix=fix)
        return _onnx_runner(model, inputs, threads)
    if not isinstance(model, nn.Module):
        raise ExplorerError("torch needs a module, not a file.", fix="Measure ONNX files with the runtime onnx.")
    return _torch_runner(model, inputs)


def _first(inputs: Inputs) -> Tensor:
    return next(iter(tensors_of(inputs).values()))


def _torch_runner(module: nn.Module, inputs: Inputs) -> Callable[[], object]:
    on_gpu = _first(inputs).is_cuda

    def run() -> object:
        with torch.inference_mode():
            out = call(module, inputs)
            if on_gpu:
                torch.cuda.synchronize()
            return out

    return run


def _onnx_runner(model: Path | str | bytes, inputs: Inputs, threads: int) -> Callable[[], object]:
    try:
        import onnxruntime
    except ImportError:
        fix = "Install onnxruntime, or measure in torch."
        raise ExplorerError("Time in ONNX Runtime cannot be measured.", why="It is not installed.", fix=fix) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    content = model if isinstance(model, bytes) else str(model)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    fed = {name: tensor.cpu().numpy() for name, tensor in zip(names, tensors_of(inputs).values(), strict=True)}

    def run() -> object:
        try:
            return session.run(None, fed)
        except Exception as error:
            # ONNX Runtime's own errors share no base class but this one.
            if type(error).__module__.startswith("onnxruntime"):
                raise RuntimeError(str(error)) from error
            raise

    return run
