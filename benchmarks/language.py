"""Perplexity of a language model pruned by published methods, at several sparsities and patterns.

    python -m benchmarks.language [--model topics-gpt] [--data topics] [--samples 128] [--at-once]
        [--settings "50 %,2:4"] [--methods Wanda,SparseGPT]

Prints one JSON object. The embedding, the head and norms stay as they are, as in the papers. Per method and setting:

``perplexity``  on the whole tune split, with its 95 % interval over texts; ``dense`` is that of the whole network
``sparsity``    the share of the blocks' weights that is zero, counted
``seconds``     of scoring, choosing and (SparseGPT) changing weights, without the measurement
``peak_mb``     the largest resident memory of this process so far

Each block sees what the pruned ones before it give (``--at-once``: what the dense ones give). ``published`` are the
figures of Sun et al. 2023, arXiv:2306.11695, table 3, for LLaMA-2-7B on WikiText-2: another model and another text.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from explorer import data, models
from explorer.engine.blocks import in_blocks, pruned_blocks
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.types import Dataset, LoadedModel, Measurement, Plan

METHODS = {
    "magnitude, by layer": "lp_norm",
    "magnitude, by row": "row_magnitude",
    "Wanda": "wanda",
    "SparseGPT": "sparsegpt",
}
SETTINGS = {
    "30 %": ("weight", 0.3),
    "50 %": ("weight", 0.5),
    "60 %": ("weight", 0.6),
    "2:4": ("n_of_m:n=2,m=4", 1.0),
    "4:8": ("n_of_m:n=4,m=8", 1.0),
}
PUBLISHED = {
    "model": "LLaMA-2-7B",
    "data": "WikiText-2",
    "source": "Sun et al. 2023, arXiv:2306.11695",
    "dense": 5.12,
    "50 %": {"magnitude, by layer": 14.89, "Wanda": 6.42, "SparseGPT": 6.51},
    "2:4": {"magnitude, by layer": 54.59, "Wanda": 11.02, "SparseGPT": 10.17},
}


def measured(found: Measurement) -> dict[str, Any]:
    """A measurement as the table has it."""
    return {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


def by_blocks(model: LoadedModel, spec: PruneSpec, dataset: Dataset) -> Plan:
    """The plan whose masks and weights are those of one block after another."""
    at_once = make_plan(model, PruneSpec())
    new = {name: t for block in pruned_blocks(model, spec, dataset) for name, t in block.tensors.items()}
    masks = {name: t != 0 for name, t in new.items() if not bool((t != 0).all()) and t.dim() > 1}
    return replace(at_once, masks=masks, updates={name: new[name] for name in masks}, digest=f"{spec.digest} by blocks")


def rows(
    model: LoadedModel, dataset: Dataset, evaluator: Evaluator, args: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """One row a method and setting."""
    for setting in args.settings.split(","):
        granularity, share = SETTINGS[setting]
        for method, criterion in METHODS.items():
            if args.methods is not None and method.partition(",")[0] not in args.methods.split(","):
                continue
            if granularity != "weight" and criterion == "row_magnitude":
                continue  # inside a group rows play no part
            text = f"{criterion}:n_samples={args.samples}" if criterion in ("wanda", "sparsegpt") else criterion
            spec = in_blocks(model, PruneSpec(granularity, text, f"uniform:sparsity={share}"))
            began = time.perf_counter()
            plan = make_plan(model, spec, data=dataset) if args.at_once else by_blocks(model, spec, dataset)
            seconds = time.perf_counter() - began
            evaluation = evaluator.final(plan)
            locked = {name for name, limit in spec.limits if limit.locked}
            n = sum(layer.n_weights for layer in plan.layers.prunable if layer.name not in locked)
            row = {
                "setting": setting,
                "method": method,
                "perplexity": measured(evaluation.metrics["perplexity"]),
                "accuracy": measured(evaluation.accuracy),
                "sparsity": sum(int((~mask).sum()) for mask in plan.masks.values()) / n,
                "seconds": round(seconds, 2),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            print(setting, method, f"{row['perplexity']['value']:.3f}", f"{seconds:.1f} s", file=sys.stderr, flush=True)
            yield row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="topics-gpt")
    parser.add_argument("--data", default=None)
    parser.add_argument("--samples", type=int, default=128)
    parser.add_argument("--settings", default=",".join(SETTINGS), help="some of them, separated by commas")
    parser.add_argument("--methods", default=None, help="some of them, separated by commas")
    parser.add_argument("--at-once", action="store_true")
    args = parser.parse_args()
    model = models.load(args.model)
    dataset = data.load(args.data or model.data or "topics", model=model)
    evaluator = Evaluator(model, dataset.splits["tune"])
    result = {
        "model": args.model,
        "data": dataset.address,
        "dense": measured(evaluator.dense().metrics["perplexity"]),
        "inputs": "dense" if args.at_once else "of pruned blocks",
        "samples": args.samples,
        "rows": list(rows(model, dataset, evaluator, args)),
        "published": PUBLISHED,
        "machine": machine("cpu"),
        "date": today(),
        "torch": torch.__version__,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
