"""How fast the order statistics are, beside torch's own way, in one interleaved run.

    python benchmarks/order.py [--weights 25000000] [--rounds 5] [--huge]

Prints one JSON object. ``--huge`` also counts 10^9 bfloat16 weights, made piece by piece.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from explorer.ranking.order import Magnitudes, global_masks

LAYERS = (0.5, 0.3, 0.15, 0.05)  # shares of the weights, as in a network with one large layer


def timed(job: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds on the wall, and what the job gave."""
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


def torch_masks(weights: list[Tensor], n: int) -> list[Tensor]:
    """The masks of ``torch.nn.utils.prune.global_unstructured`` for modules that hold the weights."""
    modules = [nn.Module() for _ in weights]
    for module, weight in zip(modules, weights, strict=True):
        module.weight = nn.Parameter(weight, requires_grad=False)
    pairs = [(module, "weight") for module in modules]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=n)
    return [module.weight_mask for module in modules]


def global_ranking(n_weights: int, rounds: int, sparsity: float = 0.8) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(int(n_weights * share), generator=generator) for share in LAYERS]
    n = int(sparsity * sum(w.numel() for w in weights))
    ours: list[float] = []
    theirs: list[float] = []
    differ, ties = 0, 0
    for _ in range(rounds):
        seconds, masks = timed(lambda: global_masks(weights, n, absolute=True))
        ours.append(seconds)
        seconds, wanted = timed(lambda: torch_masks(weights, n))
        theirs.append(seconds)
        differing = [m != w.bool() for m, w in zip(masks, wanted, strict=True)]
        differ = sum(int(d.sum()) for d in differing)
        ties = len({float(v) for d, w in zip(differing, weights, strict=True) for v in w[d].abs()})
    return {
        "n_weights": sum(w.numel() for w in weights),
        "n_pruned": [sum(int((~m).sum()) for m in masks), n],
        "ours_ms": [round(1e3 * s, 1) for s in ours],
        "torch_ms": [round(1e3 * s, 1) for s in theirs],
        "weights_decided_differently": differ,
        "magnitudes_among_those": ties,  # at most 1: they tie at the threshold, where torch's order is arbitrary
        "ratio": statistics.median(t / o for t, o in zip(theirs, ours, strict=True)),
    }


def look_up(n_weights: int, dtype: torch.dtype) -> dict[str, float]:
    weights = torch.randn(n_weights, generator=torch.Generator().manual_seed(1)).to(dtype)
    build, ranked = timed(lambda: Magnitudes.from_weights(weights))
    first, _ = timed(lambda: ranked.count_below(0.01234))
    values = [0.01234 + i * 1e-9 for i in range(10_000)]
    again, _ = timed(lambda: [ranked.count_below(v) for v in values])
    rank, _ = timed(lambda: [ranked.kth_smallest(ranked.count_below(0.01234) + i % 100) for i in range(10_000)])
    return {
        "build_ms": 1e3 * build,
        "first_look_ms": 1e3 * first,
        "count_below_us": 1e6 * again / len(values),
        "kth_smallest_us": 1e6 * rank / len(values) - 1e6 * again / len(values),
    }


def huge(n_weights: int = 10**9, piece: int = 1 << 24) -> dict[str, float]:
    """Only one piece is ever in memory; making the pieces is timed apart."""
    block = torch.randn(piece, generator=torch.Generator().manual_seed(2)).bfloat16()

    def pieces() -> Iterator[Tensor]:
        for start in range(0, n_weights, piece):
            yield block[: min(piece, n_weights - start)]

    before = peak_mb()
    seconds, ranked = timed(lambda: Magnitudes.from_chunks(pieces, torch.bfloat16))
    return {
        "n_weights": ranked.size,
        "seconds": seconds,
        "extra_peak_mb": peak_mb() - before,
        "threshold_at_90_percent": ranked.threshold_for(int(0.9 * n_weights)),
    }


def peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=int, default=25_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--huge", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result: dict[str, Any] = {"huge_bfloat16": huge()} if options.huge else {}
    masks = global_ranking(options.weights, options.rounds)
    result |= {
        "ratios": {"global_masks": round(masks.pop("ratio"), 1)},
        "global_masks": masks,
        "look_up": {
            str(d).removeprefix("torch."): look_up(options.weights, d) for d in (torch.float32, torch.bfloat16)
        },
        "machine": {"processor": platform.processor() or platform.machine(), "torch": torch.__version__},
        "torch_threads": options.threads,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
