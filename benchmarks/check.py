"""How long a full check takes, check by check: ResNet-20 with 2,000 images, corruptions and parity included.

    python -m benchmarks.check [--sparsity 0.3]

Prints one JSON object: the verdict, the seconds in all and of each check, those of the processor (which other work
on the machine does not lengthen), the machine and the date.
"""

from __future__ import annotations

import argparse
import json
import time

from benchmarks._material import cifar
from explorer.analysis.check.base import Outcome
from explorer.analysis.check.result import Check
from explorer.metrics.origin import machine, today
from explorer.pruning.spec import PruneSpec
from explorer.tasks.check import CheckRequest
from explorer.tasks.context import Context


def main() -> None:
    """Check once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sparsity", type=float, default=0.3)
    sparsity = parser.parse_args().sparsity
    material = cifar(2000)
    if material is None:
        print(json.dumps({"why_not": "ResNet-20 and its images are not beside the project."}))
        return
    model, data = material
    request = CheckRequest(spec=PruneSpec(allocation=f"global:sparsity={sparsity}"))  # type: ignore[arg-type]
    begin, at_work = time.perf_counter(), time.process_time()
    seconds: dict[str, float] = {}
    verdict = ""
    before = begin
    for result in request.run(Context(model, data)):
        now = time.perf_counter()
        if isinstance(result, Outcome):
            seconds[result.key] = round(now - before, 2)
        elif isinstance(result, Check):
            verdict = result.verdict
        before = now
    about = {"machine": machine(), "date": today(), "n_images": len(data.splits["tune"]), "sparsity": sparsity}
    total = {"seconds": round(before - begin, 2), "processor_seconds": round(time.process_time() - at_work, 2)}
    print(json.dumps({**about, "verdict": verdict, **total, "each": seconds}))


if __name__ == "__main__":
    main()
