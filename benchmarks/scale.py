"""What many workers gain: one scan by every back end, and what the queue of a shared folder costs 64 workers.

    python -m benchmarks.scale [--model digits-resnet] [--rounds 3] [--workers 64] [--seconds 2]

Prints one JSON object. The workers of the second part share a folder as they would on many machines, but each piece is
a pause of ``--seconds``: what is lost beside the pauses is the queue's, on one machine and so at its worst.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import explorer as ex
from explorer.engine.backends.base import Piece, PieceJob
from explorer.engine.backends.queue import Queue
from explorer.engine.backends.worker import Terms, Worker
from explorer.metrics.origin import machine, today
from explorer.types.aliases import JsonDict, JsonObject

PIECES_EACH = 8


def scans(model: str, rounds: int) -> JsonDict:
    """Seconds of one scan by every back end, from the start of its processes on; and whether all tables are equal."""
    seconds: dict[str, list[float]] = {}
    tables = set()
    for _ in range(rounds):
        for backend in ("threads", "processes:1", "processes:2"):
            start = time.perf_counter()
            spec = ex.PruneSpec("out_channel")
            cells = list(ex.scan(model, spec=spec, backend=backend, progress=False))
            seconds.setdefault(backend, []).append(time.perf_counter() - start)
            tables.add(json.dumps(sorted((c.to_json() for c in cells if c.complete), key=str)))
    medians = {backend: statistics.median(values) for backend, values in seconds.items()}
    return {
        "seconds": medians,
        "all": seconds,
        "speed_up_of_2_processes": medians["processes:1"] / medians["processes:2"],
        "tables_equal": len(tables) == 1,
    }


class _Pausing:
    """Does pieces that are pauses."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def open(self, about: JsonObject) -> None:
        """Nothing to open."""

    def perform(self, about: JsonObject, work: JsonObject) -> list[JsonDict]:
        time.sleep(self._seconds)
        return [{"number": work["number"]}]


def queue_costs(workers: int, seconds: float) -> JsonDict:
    """How long ``workers`` take for pieces of so many seconds, and which share of it the queue has."""
    about: JsonDict = {"kind": "pause"}
    pieces = [Piece.of(about, {"number": n}) for n in range(workers * PIECES_EACH)]
    with tempfile.TemporaryDirectory() as folder:
        job = Queue(folder).put(pieces, PieceJob("pauses", about, lambda pieces: iter(())))
        terms = Terms(idle_s=0.0, poll_s=0.01)
        crew = [Worker(Queue(Path(folder)), _Pausing(seconds), terms) for _ in range(workers)]
        gate = threading.Barrier(workers + 1)

        def work(worker: Worker) -> int:
            gate.wait()
            return worker.work()

        with ThreadPoolExecutor(workers) as pool:
            counts = [pool.submit(work, worker) for worker in crew]
            gate.wait()
            start = time.perf_counter()
            n_done = sum(count.result() for count in counts)
            wall = time.perf_counter() - start
        is_over = job.state().is_over
    best = seconds * PIECES_EACH
    return {
        "workers": workers,
        "pieces": len(pieces),
        "done": n_done,
        "complete": is_over,
        "seconds_of_a_piece": seconds,
        "wall": wall,
        "overhead": wall / best - 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="digits-resnet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    args = parser.parse_args()
    result = {"scans": scans(args.model, args.rounds), "queue": queue_costs(args.workers, args.seconds)}
    print(json.dumps(result | {"model": args.model, "machine": machine(), "date": today()}, indent=2))


if __name__ == "__main__":
    main()
