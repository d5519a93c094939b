"""Published architectures cut for real, here and by torch-pruning: parameters removed, time, memory, and the proof.

    python -m benchmarks.zoo [--library torchvision] [--sparsity 0.3] [--out zoo.jsonl] [--seconds 300] [NAME ...]

Each architecture runs in a process of its own with limits on time and memory. Rows are added to ``--out`` one by one;
what is in it is not run again. At the end all rows are printed as one JSON object. Per architecture:

``removed``     share of the parameters that is gone, of the file itself
``seconds``     scores, plan, removal and proof; of torch-pruning its tracing and its removal
``difference``  largest of cut from masked outputs on one and on three random pictures, by the largest output
``why``         what could not go, with the number of layers

Weights are of chance, ``--sparsity`` of the channels goes from every group by magnitude, the first layer included.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import explorer as ex
from benchmarks._architectures import CLASSES, build, names, why_missing
from explorer.errors import ExplorerError
from explorer.metrics.origin import machine, today
from explorer.pruning.apply import masked
from explorer.pruning.layers import layer_table
from explorer.pruning.slicing import largest_difference, sliced
from explorer.pruning.spec import Limit

_GIGABYTE = 1 << 30
Row = dict[str, Any]


def ours(library: str, name: str, sparsity: float) -> Row:
    """One architecture cut here."""
    module, x = build(library, name)
    model = ex.load(module, example=x)
    began = time.monotonic()
    spec = ex.PruneSpec("out_channel", "lp_norm:p=1", f"uniform:sparsity={sparsity}")  # type: ignore[arg-type]
    groups = spec.granularity.groups(model, layer_table(model))
    for group in groups:
        spec = spec.with_limit(group.name, Limit(locked=False)) if group.locked_by else spec
    why = Counter(group.why_not for group in groups if group.why_not)
    row: Row = {"groups": len(groups) - sum(why.values()), "why": dict(why)}
    try:
        plan = ex.plan(model, spec)
        small = sliced(model, plan).module
    except ExplorerError as error:
        return row | {"error": str(error)}
    row["seconds"] = round(time.monotonic() - began, 2)
    full, n_left = masked(model, plan).module, sum(p.numel() for p in small.parameters())
    pictures = [torch.randn(n, *x.shape[1:]) for n in (1, 3)]
    row["difference"] = max(largest_difference(full, small, x) for x in pictures)
    row["removed"] = round(1 - n_left / model.n_parameters, 4)
    return row


def theirs(library: str, name: str, sparsity: float) -> Row:
    """The same architecture cut by torch-pruning."""
    import torch_pruning

    module, x = build(library, name)
    n_before, began = sum(p.numel() for p in module.parameters()), time.monotonic()
    last = [m for m in module.modules() if isinstance(m, torch.nn.Linear) and m.out_features == CLASSES]
    importance = torch_pruning.importance.MagnitudeImportance(p=1)
    pruner = torch_pruning.pruner.MagnitudePruner(
        module, x, importance=importance, pruning_ratio=sparsity, ignored_layers=last
    )
    pruner.step()
    seconds = round(time.monotonic() - began, 2)
    with torch.no_grad():
        y = module(x)
    if tuple(y.shape) != (1, CLASSES):
        return {"error": f"its outputs have the shape {tuple(y.shape)}"}
    return {"removed": round(1 - sum(p.numel() for p in module.parameters()) / n_before, 4), "seconds": seconds}


_WHO: dict[str, Callable[[str, str, float], Row]] = {"ours": ours, "theirs": theirs}


def one(who: str, library: str, name: str, sparsity: float, gigabytes: float) -> Row:
    """One row in this process, with what it held in memory at most."""
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * _GIGABYTE), resource.RLIM_INFINITY))
    try:
        row = _WHO[who](library, name, sparsity)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is its row
        row = {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    return row | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def in_process(who: str, library: str, name: str, args: argparse.Namespace) -> Row:
    """One row from a process of its own."""
    options = ["--library", library, "--sparsity", str(args.sparsity), "--gigabytes", str(args.gigabytes)]
    command = [sys.executable, "-m", "benchmarks.zoo", *options, "--one", who, name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=args.seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"no answer in {args.seconds:g} seconds"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:200]}
    row: Row = json.loads(lines[-1])
    return row


def arguments() -> argparse.Namespace:
    """What is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--library", choices=("torchvision", "timm"), default="torchvision")
    parser.add_argument("--sparsity", type=float, default=0.3)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--gigabytes", type=float, default=12.0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--one", choices=tuple(_WHO), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run what is not in the file yet, and print all."""
    args = arguments()
    missing = why_missing(args.library)
    if missing is not None:
        print(f"Left out: {missing}", file=sys.stderr)
        return 0
    if args.one:
        print(json.dumps(one(args.one, args.library, args.names[0], args.sparsity, args.gigabytes)))
        return 0
    stored = args.out.read_text().splitlines() if args.out and args.out.exists() else []
    rows = {row["name"]: row for row in map(json.loads, stored)}
    for name in args.names or names(args.library):
        if name in rows:
            continue
        row: Row = {"name": name, "library": args.library, "date": today()}
        row |= {who: in_process(who, args.library, name, args) for who in _WHO}
        rows[name] = row
        if args.out:
            with args.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
        print(f"{name}: {row['ours'].get('removed', row['ours'].get('error'))}", file=sys.stderr)
    about = {"machine": machine(), "python": platform.python_version(), "torch": torch.__version__}
    print(json.dumps({"about": about, "sparsity": args.sparsity, "architectures": list(rows.values())}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
