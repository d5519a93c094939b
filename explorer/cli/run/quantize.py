"""``quantize``: prune and quantize together, as a grid of measured points."""

from __future__ import annotations

import argparse

from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.request import share
from explorer.cli.run.loading import load_data, load_runnable
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, done
from explorer.data.given import split_of
from explorer.errors import ExplorerError
from explorer.pruning.level import sparsity_of, with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.grid import FORMS, Form, GridPoint, RecoveryKind, pareto
from explorer.recovery.order import MeasuredOrder, advice
from explorer.recovery.serving import Serving, serving
from explorer.recovery.steps import Finetune
from explorer.tasks.context import Context
from explorer.tasks.grid import GridRequest
from explorer.tasks.order import OrderRequest
from explorer.text.delta import DELTA, delta_text
from explorer.text.numbers import bytes_text, level
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Measure the grid on the tune split."""
    spec = prune_spec(args)
    shares, recoveries = _shares(args, spec), _recoveries(args)
    model = load_runnable(args)
    data = load_data(args, model)
    split_of(data, "tune")  # refused before a scan
    request = GridRequest(with_curves(args, model, spec), shares, _forms(args), args.bits, recoveries, _training(args))
    with context_of(args, model, data) as context:
        points = [item for item in done(request, context, "measuring") if isinstance(item, GridPoint)]
        advice = _advice(request, context) if args.order else ""
        served = _served(args, request, context)
    best = pareto(points)
    if args.json:
        printing.say_json(
            {
                "model": {"address": model.address, "digest": model.digest},
                "data": {"address": data.address, "digest": data.digest},
                "split": "tune",
                "points": [point_json(p) | {"on_front": p in best} for p in points],
                "advice": advice,
                **({"serving": [{"asked": share, **row.to_json()} for share, row in served]} if served else {}),
            }
        )
        return 0
    head = ("pruned", "format", "recovered", "bytes", "origin", "accuracy", "95 % interval", DELTA, "speed", "front")
    printing.say(f"{printing.clean_terminal(model.address)} on {data.address}, split tune", "")
    printing.say(*printing.table(head, [_cells(p, p in best) for p in points], left=3))
    notes = dict.fromkeys(f"{p.number_format}: {p.why_not}" for p in points if p.why_not)
    printing.say(*map(printing.clean_terminal, notes), *([advice] if advice else []), *_serving_lines(args, served))
    return 0


def _served(args: Arguments, grid: GridRequest, context: Context) -> list[tuple[float, Serving]]:
    """The memory of each share in each number format, where a context was given."""
    if args.context is None:
        return []
    model, rows = context.model, []
    for asked in grid.shares:
        plan = make_plan(model, with_sparsity(grid.spec, asked), data=context.dataset)
        options = {"batch": args.batch, "context": args.context, "cache_bits": args.cache_bits}
        rows += [(asked, row) for row in serving(model, plan, **options)]
    return rows


def _serving_lines(args: Arguments, served: list[tuple[float, Serving]]) -> list[str]:
    if not served:
        return []
    head = ("pruned", "bits", "weights", "smallest file", "cache", "weights and cache")
    rows = [
        (
            printing.percent(asked),
            str(row.bits),
            *map(bytes_text, (row.dense.value, row.smallest.value, row.cache.value)),
            bytes_text(row.dense.value + row.cache.value),
        )
        for asked, row in served
    ]
    title = f"Memory when served, counted: {args.context:,} tokens of context, {args.batch:,} at a time"
    notes = dict.fromkeys(row.cache.note for _, row in served)
    dense = "Weights: as dense kernels need them, zeros stored. The smallest file needs software that reads it."
    return ["", title, "", *printing.table(head, rows), "", dense, *(f"Cache: {note}" for note in notes)]


def _recoveries(args: Arguments) -> tuple[RecoveryKind, ...]:
    recoveries: tuple[RecoveryKind, ...] = tuple(part for part in args.recovery.split(",") if part)
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


def _forms(args: Arguments) -> tuple[Form, ...]:
    return FORMS if args.runtime else FORMS[:2]


def _training(args: Arguments) -> Finetune:
    return Finetune(epochs=10 if args.epochs is None else args.epochs, seed=args.seed)


def _advice(grid: GridRequest, context: Context) -> str:
    """The orders at the highest share, and what follows from them."""
    request = OrderRequest(grid.spec, max(grid.shares), grid.bits, grid.training)
    tried = [item for item in done(request, context, "comparing orders") if isinstance(item, MeasuredOrder)]
    return advice(tried, context.plain_evaluator, share=request.share, bits=request.bits)


def point_json(point: GridPoint) -> JsonDict:
    """One point as a JSON-able object."""
    return dict(finite(point.to_json()))


def _cells(p: GridPoint, on_front: bool) -> list[str]:
    names = [printing.percent(p.sparsity), p.number_format + ", simulated" * (p.form == "int8"), p.recovery]
    if p.size is None or p.accuracy is None or p.drop is None:
        return [*names, "-", "", "-", "", "-", "", ""]
    return [
        *names,
        printing.count(p.size.value),
        p.size.origin,
        level(p.accuracy),
        printing.interval(p.accuracy),
        delta_text(p.drop),
        printing.times(p.latency.ratio.value) if p.latency else "",
        "*" if on_front else "",
    ]
