"""A change in one layer, measured by the engine and by the usual loop, in turns: no browser, no screen.

The engine is in the state of someone who drags: the base plan is measured, then one layer's share
moves again and again. The other side does what notebooks do at every move: copy the model, prune
it by ``torch.nn.utils.prune`` and evaluate the copy on all images.
"""

from __future__ import annotations

import copy
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.utils import prune

from benchmarks._material import cifar
from explorer.engine.evaluator import Evaluator
from explorer.engine.workers import n_cores
from explorer.metrics.origin import machine, today
from explorer.pruning.plan import plan, score
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel, Plan, Scores, Split

BASE = 0.5
SHARES = (0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
PEER_BATCHES = (64, 256)


@dataclass
class Clock:
    """Milliseconds on the wall and of the processor."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def note(self, start: tuple[float, float]) -> None:
        self.wall.append(1e3 * (time.perf_counter() - start[0]))
        self.cpu.append(1e3 * (time.process_time() - start[1]))

    def middle(self) -> dict[str, float]:
        return {"wall_ms": round(statistics.median(self.wall), 1), "cpu_ms": round(statistics.median(self.cpu), 1)}


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


@dataclass
class Layer:
    """One layer's times. ``arrival`` is the first move of a layer, ``first`` and ``complete`` the later ones."""

    arrival_first: Clock = field(default_factory=Clock)
    arrival: Clock = field(default_factory=Clock)
    first: Clock = field(default_factory=Clock)
    complete: Clock = field(default_factory=Clock)
    peers: dict[int, Clock] = field(default_factory=lambda: {size: Clock() for size in PEER_BATCHES})


def one_layer_changes(n_images: int, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Every prunable layer of ResNet-20: how soon a first estimate, how soon all images, against the loop."""
    material = cifar(n_images)
    if material is None:
        return {"left_out": "resnet20: its weights and images are not there."}
    model, dataset = material
    split, before = dataset.splits["tune"], os.getloadavg()[0]
    scores = score(model, PruneSpec())
    evaluator = Evaluator(model, split)
    evaluator.final(changed(model, scores, "", BASE))
    layers: dict[str, Layer] = {}
    differ = 0
    for group in scores.groups:
        layers[group.name] = layer = Layer()
        for turn, share in enumerate(SHARES):
            say(f"{group.name} {turn + 1}/{len(SHARES)}")
            right = ours(evaluator, model, scores, group.name, share, layer, first_time=turn == 0)
            for size in PEER_BATCHES if turn % 2 else PEER_BATCHES[::-1]:
                differ += int(usual(model, split, group.name, share, size, layer.peers[size]) != right)
    return {
        "n_images": len(split),
        "threads": evaluator.threads,
        "batch_size": evaluator.batch_size,
        **_summary(layers),
        "cells_that_differ": differ,
        "usual": "deepcopy, torch.nn.utils.prune.l1_unstructured, evaluation; the faster of batches of 64 and 256",
        "load": {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)},
        "machine": machine(),
        "date": today(),
    }


def changed(model: LoadedModel, scores: Scores, name: str, share: float) -> Plan:
    """The base plan with one layer's share changed."""
    shares = {"key": "per_layer", "sparsity": BASE, "shares": {name: share} if name else {}}
    return plan(model, PruneSpec.from_json({**PruneSpec().to_json(), "allocation": shares}), scores)


def ours(
    evaluator: Evaluator, model: LoadedModel, scores: Scores, name: str, share: float, layer: Layer, *, first_time: bool
) -> int:
    """From the new share to the right answers on all images, planning included."""
    start = now()
    found = evaluator.run(changed(model, scores, name, share))
    seen = [next(found)]
    (layer.arrival_first if first_time else layer.first).note(start)
    seen += found
    (layer.arrival if first_time else layer.complete).note(start)
    last = seen[-1]
    return round(last.accuracy.value * last.n)


def usual(model: LoadedModel, split: Split, name: str, share: float, size: int, clock: Clock) -> int:
    """What a notebook does, with as many torch threads as there are cores."""
    torch.set_num_threads(n_cores())
    start = now()
    copied = copy.deepcopy(model.module)
    for path, module in pruned_layers(copied):
        prune.l1_unstructured(module, "weight", amount=share if path == name else BASE)
    right = 0
    with torch.no_grad():
        for x, y in zip(split.x.split(size), split.y.split(size), strict=True):  # type: ignore[union-attr]
            right += int((copied(x).argmax(dim=1) == y).sum())  # type: ignore[misc]
    clock.note(start)
    return right


def pruned_layers(module: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    for path, part in module.named_modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
            yield path, part


def _summary(layers: dict[str, Layer]) -> dict[str, Any]:
    rows = {name: _row(layer) for name, layer in layers.items()}
    worst = {
        name: max(row[name]["wall_ms"] for row in rows.values())
        for name in ("arrival_first", "arrival", "first", "complete")
    }
    return {
        "ratios": {
            "complete": _ratio(rows, "complete", "wall_ms"),
            "complete_cpu": _ratio(rows, "complete", "cpu_ms"),
            "slowest_layer": round(min(r["usual"]["wall_ms"] / r["complete"]["wall_ms"] for r in rows.values()), 2),
        },
        "slowest_ms": worst,
        "wanted_ms": {"first": 50, "complete": 400},
        "layers": rows,
    }


def _row(layer: Layer) -> dict[str, dict[str, float]]:
    rest = {name: getattr(layer, name).middle() for name in ("arrival_first", "arrival", "first", "complete")}
    return {**rest, "usual": min((clock.middle() for clock in layer.peers.values()), key=lambda c: c["wall_ms"])}


def _ratio(rows: dict[str, dict[str, dict[str, float]]], name: str, what: str) -> float:
    return round(statistics.median(row["usual"][what] / row[name][what] for row in rows.values()), 2)
