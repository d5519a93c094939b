"""What a pruned model costs to run: time, memory and energy, beside the dense one, in the smallest form it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal, TypedDict, Unpack

import torch
from torch import nn

from explorer.errors import ExplorerError
from explorer.metrics.energy import estimated, why_not_measured
from explorer.metrics.energy import measured as by_meter
from explorer.metrics.latency import Latency, Runnable, Runtime, TimingOptions, batched, refined, sentence
from explorer.metrics.macs import MacTable, macs, theoretical_speedup, why_no_macs
from explorer.metrics.memory import Traffic, traffic, weight_memory
from explorer.metrics.sparsity_support import Support, advice, supports
from explorer.pruning.apply import masked
from explorer.pruning.coupling.groups import coupling
from explorer.pruning.running import runnable
from explorer.pruning.slicing import sliced
from explorer.types import LoadedModel, Measurement, Plan
from explorer.types.aliases import JsonDict
from explorer.types.code_limit import Limited
from explorer.types.inputs import call

Form = Literal["masked", "sliced"]


@dataclass(frozen=True)
class RunningCosts:
    """The costs of one pass over ``batch`` inputs.

    ``form`` is what was measured: ``sliced`` where units can be cut out, else ``masked`` (``why_masked`` says why).
    ``memory``: ``weights_dense``, ``weights_pruned``, ``activations_dense``, ``activations_pruned`` in bytes.
    ``energy``: ``dense`` and ``pruned`` in joules, estimated; where this machine has a meter, and all pairs were
    timed, ``dense_measured`` and ``pruned_measured``, too. ``why_energy_not_measured``: a sentence, or None with a
    meter. ``sentences`` are for people. ``runtimes`` says which software makes use of such zeros, and where and when
    that was read.
    """

    form: Form
    why_masked: str | None
    latency: Latency
    memory: Mapping[str, Measurement]
    energy: Mapping[str, Measurement]
    why_energy_not_measured: str | None
    sentences: tuple[str, ...]
    runtimes: tuple[Support, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether all pairs were timed."""
        return self.latency.complete

    def to_json(self) -> JsonDict:
        """{latency, memory, energy}, each JSON-able and with its origin, and {runtimes}."""
        return {
            "latency": {**self.latency.to_json(), "form": self.form, "why_masked": self.why_masked},
            "memory": {name: asdict(m) for name, m in self.memory.items()},
            "energy": {
                **{name: asdict(m) for name, m in self.energy.items()},
                "why_not_measured": self.why_energy_not_measured,
            },
            "runtimes": [row.to_json() for row in self.runtimes],
        }


@dataclass(frozen=True, eq=False)
class TimedPair:
    """The dense and the pruned network, both classes or both traced graphs: a graph alone is up to 5 % slower."""

    dense: nn.Module
    pruned: nn.Module
    form: Form
    why_masked: str | None


def comparable(model: LoadedModel, plan: Plan) -> TimedPair:
    """The pruned network cut to size beside the dense one, or masked with the reason why it was not cut.

    Raises ExplorerError when the model was opened weights-only.
    """
    zeros, dense = masked(model, plan).module, runnable(model)
    if not plan.kept_shapes:
        return TimedPair(dense, zeros, "masked", "Its zeros have no smaller form." if plan.n_pruned else None)
    try:
        small = sliced(model, plan).module
    except ExplorerError as error:
        return TimedPair(dense, zeros, "masked", f"{error.what} {error.why}".strip())
    return TimedPair(coupling(model).graph or dense, small, "sliced", None)


class CostOptions(TypedDict, total=False):
    """The options of :func:`refined_costs`, as keywords."""

    batch: int
    pairs: int
    threads: int | None
    table: MacTable | None
    files: tuple[Runnable, Runnable] | None


def costs(model: LoadedModel, plan: Plan, **options: Unpack[CostOptions]) -> RunningCosts:
    """The costs after all pairs were measured; see :func:`refined_costs`."""
    *_, last = refined_costs(model, plan, **options)
    return last


def refined_costs(
    model: LoadedModel,
    plan: Plan,
    *,
    batch: int = 1,
    pairs: int = 30,
    threads: int | None = None,
    table: MacTable | None = None,
    files: tuple[Runnable, Runnable] | None = None,
) -> Iterator[RunningCosts]:
    """Memory and energy at once, and the latency refined as its pairs come in.

    ``files``: (dense, pruned) ONNX files, to be timed in ONNX Runtime in place of the networks. Raises ExplorerError
    when the model cannot run.
    """
    pair = comparable(model, plan)
    if model.example is None:
        raise ExplorerError("This model cannot be run.", why=why_no_macs(model), fix="Give it an example input.")
    passes = {"dense": (pair.dense, "dense"), "pruned": (pair.pruned, "removed" if pair.form == "sliced" else "dense")}
    with Limited(model.code_seconds, "A pass that counts memory") as limited:
        seen = {name: limited(partial(traffic, net, model.example, batch=batch)) for name, (net, _) in passes.items()}
    weights = {name: weight_memory(net) for name, (net, _) in passes.items()}
    counted = macs(model, plan, table)
    energy = {
        name: estimated(counted[kind].value, weights[name].value, seen[name].moved, batch=batch)
        for name, (_, kind) in passes.items()
    }
    memory = {f"weights_{name}": m for name, m in weights.items()} | {
        f"activations_{name}": _activations(measured, batch) for name, measured in seen.items()
    }
    theoretical = theoretical_speedup(model, plan, table)
    dense, pruned = files or (pair.dense, pair.pruned)
    runtime: Runtime = "onnx" if files else "torch"
    timing = TimingOptions(batch=batch, pairs=pairs, runtime=runtime, threads=threads, code_seconds=model.code_seconds)
    for measured in refined(dense, pruned, model.example, **timing):
        sentences = (sentence(theoretical, measured), *advice(plan))
        if measured.complete and not files:
            energy |= _metered(pair, model, batch)
        yield RunningCosts(
            pair.form, pair.why_masked, measured, memory, energy, _why_no_meter(), sentences, supports(plan)
        )


def _activations(moved: Traffic, batch: int) -> Measurement:
    note = "Live activations at the fullest moment of one pass, input and output included."
    return Measurement("activations", moved.peak, "bytes", "counted", batch_size=batch, note=note)


def _metered(pair: TimedPair, model: LoadedModel, batch: int) -> dict[str, Measurement]:
    """What both networks use by the processor's own meter; nothing where there is none to be read."""
    if why_not_measured() is not None or model.example is None:
        return {}
    inputs = batched(model.example, batch)
    with Limited(model.code_seconds, "A pass that measures energy") as limited, torch.inference_mode():
        return {
            f"{name}_measured": by_meter(partial(limited, partial(call, network, inputs)), batch=batch)
            for name, network in (("dense", pair.dense), ("pruned", pair.pruned))
        }


def _why_no_meter() -> str | None:
    refusal = why_not_measured()
    return None if refusal is None else str(refusal)
