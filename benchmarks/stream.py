"""How fast and in how little memory a checkpoint is counted and pruned from its files, beside the raw disk.

    python -m benchmarks.stream [--gb 2] [--folder /tmp] [--no-write]

Writes a checkpoint of bfloat16 matrices in shards of 512 MB, measures it, and removes it. Prints one JSON object:

``raw_gb_s``      the same bytes read and thrown away, after the system has forgotten them
``count_gb_s``    magnitudes of all weights counted (histograms, thresholds and quantiles follow from that)
``ratio``         the second by the first
``cpu_gb_s``      the bytes by the processor's time of counting: what a machine with nothing else to do would reach
``prune_seconds`` exact global magnitude to 50 % and all files written anew
``peak_mb``       the largest resident memory of the process that counted and pruned
``base_mb``       of that, what it had before it opened the first file
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from explorer.export.streamed import streamed
from explorer.metrics.origin import machine, today
from explorer.models.reader.shards import PIECE, shards

SHARD = 512 * 2**20
ROWS, COLUMNS = 4096, 8192


def generate(folder: Path, n_bytes: int) -> None:
    """Shards of matrices of chance, with an index."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(ROWS, COLUMNS, generator=generator).to(torch.bfloat16)
    per_shard, n_shards = SHARD // (matrix.numel() * 2), max(1, n_bytes // SHARD)
    where: dict[str, str] = {}
    for shard in range(n_shards):
        name = f"model-{shard + 1:05d}-of-{n_shards:05d}.safetensors"
        tensors = {f"layers.{shard}.{i}.weight": torch.roll(matrix, shard * per_shard + i, 0) for i in range(per_shard)}
        save_file(tensors, folder / name)
        where |= dict.fromkeys(tensors, name)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))


def forget(folder: Path) -> None:
    """Ask the system to drop what it keeps of the files in memory."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def raw(folder: Path) -> float:
    """Seconds to read all bytes."""
    forget(folder)
    buffer, began = bytearray(PIECE), time.perf_counter()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    return time.perf_counter() - began


def peak_mb() -> int:
    """The largest resident memory of this program so far; ``getrusage`` would tell that of who started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def child(folder: Path, out: Path | None) -> dict[str, Any]:
    """What the measured process does."""
    base = peak_mb()
    torch.set_num_threads(1)
    began, worked = time.perf_counter(), time.process_time()
    counted = streamed(shards(folder))
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    counts = counted.counts(0.5)
    began = time.perf_counter()
    if out is not None:
        for _ in counted.write(out, counts):
            pass
    return {
        "count_seconds": round(seconds, 2),
        "cpu_seconds": round(worked, 2),
        "prune_seconds": round(time.perf_counter() - began, 2) if out is not None else None,
        "n_weights": counted.n_weights,
        "n_pruned": sum(counts.values()),
        "peak_mb": peak_mb(),
        "base_mb": base,
    }


def main() -> None:
    """Generate, measure, print and remove."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gb", type=float, default=2.0)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--child", nargs=2, default=None, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(Path(args.child[0]), Path(args.child[1]) if args.child[1] else None)))
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as place:
        source, out = Path(place) / "in", Path(place) / "out"
        source.mkdir()
        generate(source, int(args.gb * 2**30))
        n_bytes = sum(path.stat().st_size for path in source.glob("*.safetensors"))
        seconds = raw(source)
        forget(source)
        command = [sys.executable, "-m", "benchmarks.stream", "--child", str(source), "" if args.no_write else str(out)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    raw_speed, speed = n_bytes / seconds / 1e9, n_bytes / found["count_seconds"] / 1e9
    speeds = {"raw_gb_s": round(raw_speed, 3), "count_gb_s": round(speed, 3), "ratio": round(speed / raw_speed, 3)}
    speeds["cpu_gb_s"] = round(n_bytes / found["cpu_seconds"] / 1e9, 3)
    about = {"machine": machine("cpu"), "date": today(), "torch": torch.__version__}
    print(json.dumps({"bytes": n_bytes, **speeds, **found, **about}, indent=1))


if __name__ == "__main__":
    main()
