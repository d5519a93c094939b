"""``quantize``: prune and quantize together, as a grid of measured points."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.quantize import NAME
from explorer.cli.flags.request import share
from explorer.cli.run.loading import load_data, load_runnable
from explorer.cli.run.recording import kept
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.export.onnx_int8 import Int8Runtime
from explorer.pruning.level import sparsity_of, with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import Form, GridPoint, RecoveryKind, Working, grid, n_points, pareto
from explorer.recovery.order import Tried, advice, orders
from explorer.recovery.steps import STEPS, Finetune
from explorer.types import Dataset, LoadedModel


def run(args: Arguments) -> int:
    """Measure the grid on the tune split."""
    spec = prune_spec(args)
    shares, recoveries = _shares(args, spec), _recoveries(args)
    model = load_runnable(args)
    data = load_data(args, model)
    tune = split_of(data, "tune")
    spec = with_curves(args, model, spec)
    evaluator = Evaluator(model, tune, device=args.device)
    points = _measured(args, model, data, spec, shares, recoveries, evaluator)
    advice = _advice(args, model, data, spec, max(shares), evaluator) if args.order else ""
    best = pareto(points)
    if args.json:
        printing.say_json(
            {
                "model": {"address": model.address, "digest": model.digest},
                "data": {"address": data.address, "digest": data.digest},
                "split": "tune",
                "points": [point_json(p) | {"on_front": p in best} for p in points],
                "advice": advice,
            }
        )
        return 0
    head = ("pruned", "format", "recovered", "bytes", "origin", "accuracy", "95 % interval", "drop", "speed", "front")
    printing.say(f"{printing.plain(model.address)} on {data.address}, split tune", "")
    printing.say(*printing.table(head, [_cells(p, p in best) for p in points], left=3))
    notes = dict.fromkeys(f"{p.form}: {p.why_not}" for p in points if p.why_not)
    printing.say(*map(printing.plain, notes), *([advice] if advice else []))
    return 0


def _recoveries(args: Arguments) -> list[RecoveryKind]:
    recoveries: list[RecoveryKind] = [part for part in args.recovery.split(",") if part]
    if args.epochs is not None and not args.order and set(recoveries) <= {"none"}:
        raise ExplorerError(
            "--epochs is of a training, and nothing is trained.", fix="Add --recovery finetune or --order."
        )
    return recoveries


def _shares(args: Arguments, spec: PruneSpec) -> tuple[float, ...]:
    if args.grid is None:
        return (sparsity_of(spec),)
    try:
        return tuple(sorted({share(part) for part in args.grid.split(",") if part}))
    except argparse.ArgumentTypeError as error:
        what = f"--grid {args.grid!r} is not a list of shares."
        raise ExplorerError(what, why=f"{error}.", fix="Write --grid 0,0.5,0.8,0.9.") from None


def _training(args: Arguments) -> Finetune:
    found: Any = STEPS.get("finetune", epochs=10 if args.epochs is None else args.epochs, seed=args.seed)
    training: Finetune = found
    return training


def _measured(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    spec: PruneSpec,
    shares: tuple[float, ...],
    recoveries: list[RecoveryKind],
    evaluator: Evaluator,
) -> list[GridPoint]:
    forms: list[Form] = ["float32", "int8", *(("dynamic", "static") if args.runtime else ())]
    told = grid(
        model, spec, data, shares=shares, forms=forms, bits=args.bits, recoveries=recoveries, training=_training(args),
        runtime=Int8Runtime(data, evaluator), evaluator=evaluator,
    )  # fmt: skip
    points = _shown(told, n_points(shares, forms, recoveries))
    records = (point for p in points if (point := p.kept()) is not None)
    list(kept(args, model, data, records, split="tune", kind=NAME))
    return points


def _shown(told: Iterable[GridPoint | Working], total: int) -> list[GridPoint]:
    found: list[GridPoint] = []
    with printing.Progress("measuring") as progress:
        for item in told:
            if isinstance(item, Working):
                progress.show(f"{len(found)} of {total}, {item.what}")
                continue
            found.append(item)
            progress.show(f"{len(found)} of {total}, {item.asked:.0%} {item.form}")
    return found


def _advice(
    args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec, level: float, evaluator: Evaluator
) -> str:
    told = orders(
        model, with_sparsity(spec, level), data, bits=args.bits, training=_training(args), evaluator=evaluator
    )
    return advice(list(_tried(told)), evaluator, share=level, bits=args.bits)


def _tried(told: Iterable[Tried | Working]) -> Iterator[Tried]:
    with printing.Progress("comparing orders") as progress:
        for item in told:
            if isinstance(item, Working):
                progress.show(item.what)
            else:
                yield item


def point_json(point: GridPoint) -> dict[str, Any]:
    """One point as a JSON-able object."""
    made = asdict(point) | {"latency": None if point.latency is None else point.latency.to_json()}
    return dict(finite({name: value for name, value in made.items() if name != "complete"}))


def _cells(p: GridPoint, on_front: bool) -> list[str]:
    names = [printing.percent(p.sparsity), p.form + (f", {p.bits} bits" if p.form == "int8" else ""), p.recovery]
    if p.size is None or p.accuracy is None or p.drop is None:
        return [*names, "-", "", "-", "", "-", "", ""]
    return [
        *names,
        printing.count(p.size.value),
        p.size.origin,
        printing.percent(p.accuracy.value),
        printing.interval(p.accuracy),
        printing.points(p.drop.value),
        printing.times(p.latency.ratio.value) if p.latency else "",
        "*" if on_front else "",
    ]
