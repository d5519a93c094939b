"""How fast the sensitivity scan is beside the loops of other libraries, in one interleaved run.

    python -m benchmarks.scan [--images 2000] [--rounds 2] [--repeats 8] [--minutes 15] [--figure PATH]

Prints one JSON object, and draws it where ``--figure`` says. It ends within ``--minutes``: on a slow or
busy machine there are fewer rounds, then fewer images, and ``n_images`` says how many. Every party has one thread;
CPU time counts. Levels are multiples of 1/16, so that everybody prunes the same number of weights in every
layer: those nearest to the ten of a scan with digits-cnn, four of them with ResNet-20, which takes long.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import _peers as peers
from benchmarks._figure import draw
from benchmarks._material import MATERIAL, all_digits, cifar, first_images
from explorer import models
from explorer.analysis.sensitivity.scan import Cell, Mode, Sensitivity, scan
from explorer.engine.evaluator import Evaluator
from explorer.metrics.origin import machine, today
from explorer.types import Dataset, LoadedModel, Split

LEVELS = tuple(i / 16 for i in (2, 3, 5, 6, 8, 10, 11, 13, 14, 15))
FEW_LEVELS = (3 / 16, 7 / 16, 11 / 16, 14 / 16)
MODES: tuple[Mode, ...] = ("exact", "verified", "estimate")
FEW_LAYERS = 3  # the other peers' loops run on so many layers only: their time is the same for each


@dataclass
class Party:
    """One contestant: its work in steps, and the time that they took."""

    name: str
    steps: Iterator[Any]
    n_cells: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    n_steps: int = 0

    def step(self, found: list[Any]) -> bool:
        """Do one step; False when there is none left."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = next(self.steps, None)
        self.cpu += time.process_time() - cpu
        self.wall += time.perf_counter() - wall
        if result is None:
            return False
        self.n_steps += 1
        self.n_cells += len(result)
        found.append(result)
        return True


def ours(model: LoadedModel, dataset: Dataset, levels: Sequence[float], mode: Mode) -> Iterator[list[Cell]]:
    """A whole scan, everything included, in about as many steps as there are layers."""
    split = dataset.splits["tune"]
    evaluator = Evaluator(model, split, threads=1, memory_limit=0)
    cells = scan(model, dataset, levels=levels, mode=mode, evaluator=evaluator)
    step: list[Cell] = []
    for cell in cells:
        if cell.complete:
            step.append(cell)
        if len(step) >= len(levels):
            yield step
            step = []
    if step:
        yield step


def limited(steps: Iterator[Any], n: int) -> Iterator[Any]:
    for _, step in zip(range(n), steps, strict=False):
        yield step


def one_round(
    model: LoadedModel, dataset: Dataset, levels: Sequence[float], turn: int, *, all_peers: bool
) -> dict[str, Any]:
    """Every party once, a layer at a time in turns."""
    split = dataset.splits["tune"]
    n_layers = sum(w.dim() in (2, 4) for w in model.weights.values())
    parties = [Party("distiller-256", peers.distiller(model.module, split, levels, 256))]
    parties += [Party(mode, ours(model, dataset, levels, mode)) for mode in MODES]
    if all_peers:
        few = {"distiller-128": peers.distiller, "nni-256": peers.nni, "nni-128": peers.nni}
        for name, loop in few.items():
            steps = loop(model.module, split, levels, int(name[-3:]))
            parties.append(Party(name, limited(steps, FEW_LAYERS)))
    found: dict[str, list[Any]] = {party.name: [] for party in parties}
    active = list(parties)
    while active:
        turned = active[turn % len(active) :] + active[: turn % len(active)]
        active = [party for party in turned if party.step(found[party.name])]
        say(f"{model.address}: " + ", ".join(f"{p.name} {p.n_steps}/{n_layers}" for p in parties))
    counts = {key: n for part in found["distiller-256"] for key, n in part.items()}
    scans = {mode: Sensitivity.of(cell for step in found[mode] for cell in step) for mode in MODES}
    return {"parties": parties, "counts": counts, "scans": scans, "found": found}


def say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")


def contest(model: LoadedModel, dataset: Dataset, levels: Sequence[float], rounds: int, repeats: int) -> dict[str, Any]:
    """All rounds of one model: ratios, equality, coverage."""
    turns = [one_round(model, dataset, levels, turn, all_peers=turn == 0) for turn in range(rounds)]
    split = dataset.splits["tune"]
    base = [next(p for p in t["parties"] if p.name == "distiller-256") for t in turns]
    ratios = {
        mode: statistics.median(
            b.cpu / next(p for p in t["parties"] if p.name == mode).cpu for b, t in zip(base, turns, strict=True)
        )
        for mode in MODES
    }
    first = turns[0]
    return {
        "ratios": {mode: round(ratio, 2) for mode, ratio in ratios.items()},
        "n_images": len(split),
        "n_cells": len(first["counts"]),
        "levels": levels,
        "rounds": [{p.name: _times(p, len(split)) for p in t["parties"]} for t in turns],
        "equality": {mode: _equality(first["counts"], first["scans"][mode], len(split)) for mode in MODES[:2]},
        "peers_agree": _peers_agree(first),
        "verified": _verified(first["scans"]),
        "estimate": _coverage(model, dataset, levels, first["scans"]["exact"], repeats),
    }


def _times(party: Party, n_images: int) -> dict[str, float]:
    return {
        "cpu_s": round(party.cpu, 3),
        "wall_s": round(party.wall, 3),
        "cells": party.n_cells,
        "cpu_ms_per_cell_and_1000_images": round(1e6 * party.cpu / max(1, party.n_cells) / n_images, 2),
    }


def _equality(counts: peers.Counts, found: Sensitivity, n: int) -> dict[str, Any]:
    """In how many cells we count what Distiller's loop counts."""
    differ = {}
    for (name, level), right in counts.items():
        cell = found.cell(name.removesuffix(".weight"), level)
        mine = None if cell is None else round(cell.accuracy.value * n)
        if mine != right:
            differ[f"{name} at {level}"] = [right, mine]
    return {"equal": len(counts) - len(differ), "of": len(counts), "different": differ}


def _peers_agree(first: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name in ("distiller-128", "nni-256", "nni-128"):
        cells = {key: n for part in first["found"][name] for key, n in part.items()}
        equal = sum(first["counts"].get(key) == n for key, n in cells.items())
        found[name] = f"{equal} of {len(cells)} cells as distiller-256"
    return found


def _verified(scans: dict[str, Sensitivity]) -> dict[str, Any]:
    exact, verified = scans["exact"], scans["verified"]
    equal = sum(exact.cell(c.group, c.level).accuracy.value == c.accuracy.value for c in verified.cells)  # type: ignore[union-attr]
    return {
        "equal_to_exact": equal,
        "of": len(verified.cells),
        "audit": verified.audit,
        "how": verified.cells[0].how or "bfloat16, doubtful samples again in float32",
        "settings": "chosen after seeing the digits models and 256 of the ResNet's images; see verified_unseen",
    }


def unseen(model: LoadedModel, dataset: Dataset, levels: Sequence[float]) -> dict[str, Any]:
    """Verified against exact on images that had no part in choosing its settings: the second half."""
    split = dataset.splits["tune"]
    half = slice(len(split) // 2, len(split))
    part = Split("tune", split.x[half], split.y[half])  # type: ignore[index]
    second = Dataset(dataset.address, {"tune": part}, dataset.classes, f"{dataset.digest}, second half")
    scans = {
        mode: Sensitivity.of(cell for step in ours(model, second, levels, mode) for cell in step) for mode in MODES[:2]
    }
    return {"n_images": len(part), **_verified(scans)}


def _coverage(
    model: LoadedModel, dataset: Dataset, levels: Sequence[float], exact: Sensitivity, repeats: int
) -> dict[str, Any]:
    """How often an estimate's final interval, and all of its intervals, hold the whole set's value."""
    evaluator = Evaluator(model, dataset.splits["tune"], threads=1, memory_limit=0)
    finals = every = n_cells = n_samples = 0
    for seed in range(1, repeats + 1):
        held: dict[tuple[str, float], bool] = {}
        for cell in scan(model, dataset, levels=levels, mode="estimate", evaluator=evaluator, seed=seed):
            truth = exact.cell(cell.group, cell.level).drop.value  # type: ignore[union-attr]
            inside = cell.drop.low - 1e-9 <= truth <= cell.drop.high + 1e-9  # type: ignore[operator]
            held[cell.group, cell.level] = held.get((cell.group, cell.level), True) and inside
            if cell.complete:
                finals, n_cells, n_samples = finals + inside, n_cells + 1, n_samples + cell.n
        every += sum(held.values())
    return {
        "half_width": 0.01,
        "coverage": finals / n_cells,
        "coverage_of_all_looks": every / n_cells,
        "cells": n_cells,
        "mean_share_of_samples": n_samples / n_cells / len(dataset.splits["tune"]),
        "about": "the value that all images give, over repeated draws",
    }


def affordable(model: LoadedModel, dataset: Dataset, options: argparse.Namespace, minutes: float) -> tuple[int, int]:
    """So many rounds and images, to the hundred, fit into the time, by a trial of Distiller's loop on one layer."""
    split = dataset.splits["tune"]
    trial = Split("tune", split.x[:256], split.y[:256])  # type: ignore[index]
    start = time.perf_counter()
    n_cells = len(next(peers.distiller(model.module, trial, FEW_LEVELS, 256)))  # type: ignore[arg-type]
    for_one = (time.perf_counter() - start) / n_cells / len(trial)
    n_layers = sum(w.dim() in (2, 4) for w in model.weights.values())
    n = 0
    for rounds in range(options.rounds, 0, -1):
        # In passes of Distiller's loop over all cells: its rounds with ours, the other loops, coverage, unseen.
        work = rounds * 1.5 + 3 * FEW_LAYERS / n_layers + options.repeats * 0.08 + 0.25
        n = int(60 * minutes / (for_one * n_layers * len(FEW_LEVELS) * work)) // 100 * 100
        if n >= options.images:
            break
    return rounds, max(200, min(options.images, n))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000, help="of the CIFAR-10 images")
    parser.add_argument(
        "--rounds", type=int, default=2, help="rounds with ResNet-20 at most; digits-cnn has twice as many"
    )
    parser.add_argument("--repeats", type=int, default=8, help="estimates repeated to count coverage")
    parser.add_argument("--minutes", type=float, default=15, help="the longest it may take: fewer images if need be")
    parser.add_argument("--figure", metavar="PATH", help="also draw the result there (svg or png)")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    start = time.perf_counter()
    digits = models.load("digits-cnn")
    found = {"digits-cnn": contest(digits, all_digits(digits), LEVELS, 2 * options.rounds, options.repeats)}
    material = cifar(options.images)
    if material is not None:
        left = options.minutes - (time.perf_counter() - start) / 60
        model, dataset = material
        rounds, n_images = affordable(model, dataset, options, 0.85 * left)
        material = model, first_images(dataset, n_images)
        found["resnet20"] = contest(*material, FEW_LEVELS, rounds, options.repeats)
        found["resnet20"]["verified_unseen"] = unseen(*material, FEW_LEVELS)
    result = {
        "ratios": {name: part.pop("ratios") for name, part in found.items()},
        "over": "CPU time of Distiller's loop, batches of 256, the same layers, levels and images; one thread each",
        "models": found,
        "left_out": [] if material else [f"resnet20: there is no {MATERIAL}."],
        "minutes": round((time.perf_counter() - start) / 60, 1),
        "machine": machine(),
        "date": today(),
    }
    if options.figure:
        draw(result, Path(options.figure))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
