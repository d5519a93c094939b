"""How soon a folder of many pictures answers, and how much memory it takes: ``python -m benchmarks.many_pictures``.

Prints one JSON object. The pictures are noise of 224 x 224, written to a temporary folder as JPEG.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

import explorer as ex
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today

CLASSES, EDGE = 10, 224


def main() -> None:
    """Write the pictures, open them, and evaluate a small network on them twice."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=5000)
    n = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as place:
        _write(Path(place), n)
        print(json.dumps({"pictures": n, "machine": machine(), "date": today(), **_measured(Path(place))}, indent=1))


def _write(root: Path, n: int) -> None:
    generator = np.random.default_rng(0)
    for k in range(CLASSES):
        (root / f"{k}").mkdir()
    for i in range(n):
        small = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(small).resize((EDGE, EDGE)).save(root / f"{i % CLASSES}" / f"{i}.jpg", quality=85)


def _measured(root: Path) -> dict[str, float | int]:
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(3, 8, 7, stride=4), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, CLASSES)),
    )
    model = ex.load(net, example=torch.zeros(1, 3, EDGE, EDGE))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    data = ex.load_data(f"folder:{root}", model=model)
    opened = time.perf_counter() - start
    evaluator = Evaluator(model, data.splits["tune"])
    first = next(iter(evaluator.run()))
    first_after = time.perf_counter() - start
    start = time.perf_counter()
    evaluator.final()
    whole = time.perf_counter() - start
    start = time.perf_counter()
    evaluator.final(ex.plan(model, ex.PruneSpec("weight", "lp_norm:p=1", "uniform:sparsity=0.5")))
    return {
        "seconds_to_open": round(opened, 2),
        "seconds_to_first_estimate": round(first_after, 2),
        "samples_in_first_estimate": first.n,
        "seconds_for_all": round(whole, 1),
        "seconds_for_all_again": round(time.perf_counter() - start, 1),
        "MB_before": round(before / 1000),
        "MB_at_most": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "MB_as_float32": round(4 * 3 * EDGE * EDGE * len(data.splits["tune"]) / 1e6),
    }


if __name__ == "__main__":
    main()
