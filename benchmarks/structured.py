"""What removing half of the units gives: multiplications, measured time, proof and files; masked beside sliced.

    python -m benchmarks.structured [--pairs 100] [--batch 1] [--threads 1] [--sparsity 0.5] [--only digits-cnn]

Prints one JSON object. Per model:

``macs_ratio``           dense multiplications by those left
``latency_ratio``        dense time by the sliced network's: median of interleaved pairs, with its 95 % interval;
                         both are traced graphs, because a graph alone takes up to 5 % more time than its class
``masked_latency_ratio`` the same for the masked network, whose zeros are multiplied like any value
``proof_max_rel_diff``   largest difference of the sliced from the masked network's outputs, by the largest output
``sizes``                bytes of each kind of file, really written, and of the dense one
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from explorer import data, models
from explorer.analysis.costs import comparable
from explorer.errors import ExplorerError
from explorer.export.measured_sizes import measure_sizes
from explorer.metrics.latency import Latency, latency
from explorer.metrics.macs import macs
from explorer.metrics.memory import memory
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import masked
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.slicing import largest_difference
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel

REAL = Path(__file__).resolve().parents[2] / "shared" / "data"
# Where output channels are not what one would remove.
UNITS = {"digits-vit": ("mlp_neuron", "head"), "digits-gru": ("hidden_unit",)}
N_JUDGED = 256


def loaded(only: str | None) -> Iterator[tuple[str, LoadedModel | str]]:
    """Each model by name, or the sentence why it is left out."""
    weights = REAL / "resnet20-12fca82f.th"
    if only in (None, "resnet20"):
        there = weights.is_file()
        yield "resnet20", models.load(str(weights), arch="cifar-resnet20") if there else "Its weights are not here."
    for name in models.samples():
        if only in (None, name):
            yield name, models.load(name)


def judging_inputs(model: LoadedModel) -> torch.Tensor:
    """Real samples where the model has its data here, else generated ones: (n, ...)."""
    address = model.data
    if (REAL / "cifar10-test-2000").is_dir() and str(model.meta.get("arch")) == "cifar-resnet20":
        address = f"folder:{REAL / 'cifar10-test-2000'}"
    return data.load(address or "none", model=model).splits["tune"].x[:N_JUDGED]


def timed(found: Latency) -> dict[str, Any]:
    """The ratio and both times."""
    r, d, p = found.ratio, found.dense, found.pruned
    return {
        "ratio": round(r.value, 3),
        "interval_95": [r.low and round(r.low, 3), r.high and round(r.high, 3)],
        "dense_ms_p10_p50_p90": [round(v or 0.0, 4) for v in (d.low, d.value, d.high)],
        "pruned_ms_p10_p50_p90": [round(v or 0.0, 4) for v in (p.low, p.value, p.high)],
        "pairs": found.n,
        "pairs_interrupted": found.interrupted,
    }


def row(model: LoadedModel, unit: str, args: argparse.Namespace) -> dict[str, Any]:
    """One model with one kind of unit removed."""
    plan = make_plan(model, PruneSpec(unit, "lp_norm", f"uniform:sparsity={args.sparsity}"))  # type: ignore[arg-type]
    if not plan.n_pruned:
        raise ExplorerError(f"This model has no units of the kind {unit}.")
    pair, zeros = comparable(model, plan), masked(model, plan).module
    if pair.form != "sliced" or model.module is None:
        raise ExplorerError(pair.why_masked or "This model cannot be cut.")
    small = pair.pruned
    how = {"batch": args.batch, "pairs": args.pairs, "threads": args.threads, "seconds": 6.0}
    cut = latency(pair.dense, small, model.example, **how)  # type: ignore[arg-type]
    with_zeros = latency(model.module, zeros, model.example, **how)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        sizes = {kind: int(m.value) for kind, m in measure_sizes(model, plan, folder).items()}
    counted = macs(model, plan)
    held = memory(model.module, small, model.example, batch=args.batch)  # type: ignore[arg-type]
    return {
        "unit": unit,
        "sparsity": round(plan.sparsity, 4),
        "macs_ratio": round(counted["dense"].value / counted["removed"].value, 3),
        "latency_ratio": round(cut.ratio.value, 3),
        "masked_latency_ratio": round(with_zeros.ratio.value, 3),
        "proof_max_rel_diff": largest_difference(zeros, small, judging_inputs(model)),
        "sizes": sizes,
        "memory": {name: int(m.value) for name, m in held.items()},
        "latency": {"sliced": timed(cut), "masked": timed(with_zeros)},
    }


def rows(args: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every model with each kind of unit that is removed from it."""
    for name, model in loaded(args.only):
        if isinstance(model, str):
            yield name, {"left_out": model}
            continue
        why: list[str] = []
        for unit in UNITS.get(name, ("out_channel",)):
            try:
                yield f"{name}, {unit}" if len(UNITS.get(name, ())) > 1 else name, row(model, unit, args)
            except ExplorerError as error:
                why.append(f"{unit}: {error}")
        if why:
            yield f"{name}, not removed", {"left_out": " ".join(why)}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sparsity", type=float, default=0.5)
    parser.add_argument("--only")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    began, load = time.monotonic(), os.getloadavg()
    found = {}
    for name, measured in rows(args):
        found[name] = measured
        print(f"{name}: {measured.get('latency_ratio', measured.get('left_out'))}", file=sys.stderr)
    about = {
        "machine": machine(),
        "python": platform.python_version(),
        "date": today(),
        "threads": args.threads,
        "batch": args.batch,
        "load_before_and_after": [round(load[0], 2), round(os.getloadavg()[0], 2)],
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps({"about": about, "models": found}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
