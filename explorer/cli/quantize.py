"""``quantize``: prune and quantize together, as a grid of measured points."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, load_data, load_runnable, whole
from explorer.cli.recording import add_keeping, kept
from explorer.cli.request import add_request, prune_spec, share
from explorer.cli.scanning import with_curves
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from explorer.engine.evaluator import Evaluator
    from explorer.pruning.spec import PruneSpec
    from explorer.recovery.grid import Form, GridPoint, RecoveryKind, Working
    from explorer.recovery.order import Tried
    from explorer.recovery.steps import Finetune
    from explorer.types import Dataset, LoadedModel

NAME = "quantize"
HELP = "Prune and quantize: size and accuracy of every share pruned in float32 and int8."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    levels = parser.add_mutually_exclusive_group()
    levels.add_argument("--sparsity", type=share, metavar="S", help="one share (default: that of --spec, or 0)")
    levels.add_argument("--grid", metavar="S,S", help="several shares, e.g. 0,0.5,0.8,0.9")
    group = parser.add_argument_group("how to quantize")
    group.add_argument("--bits", type=whole, default=8, metavar="B", help="of simulated weights, 2 to 8 (default: 8)")
    group.add_argument("--runtime", action="store_true", help="also by ONNX Runtime: real files, accuracy, time")
    group.add_argument(
        "--recovery",
        default="none",
        metavar="H,H",
        help="before quantizing: none (default), finetune, distil; or several",
    )
    group.add_argument("--epochs", type=whole, metavar="N", help="of each recovery, and of --order (default: 10)")
    group.add_argument("--order", action="store_true", help="also prune first against quantize first, with tuning")
    add_request(parser, one_level=False)
    add_data(parser)
    add_keeping(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Measure the grid on the tune split."""
    from explorer.data.given import split_of
    from explorer.engine.evaluator import Evaluator
    from explorer.recovery.grid import pareto

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
    from explorer.pruning.level import sparsity_of

    if args.grid is None:
        return (sparsity_of(spec),)
    try:
        return tuple(sorted({share(part) for part in args.grid.split(",") if part}))
    except argparse.ArgumentTypeError as error:
        what = f"--grid {args.grid!r} is not a list of shares."
        raise ExplorerError(what, why=f"{error}.", fix="Write --grid 0,0.5,0.8,0.9.") from None


def _training(args: Arguments) -> Finetune:
    from explorer.recovery.steps import STEPS

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
    from explorer.export.onnx_int8 import Int8Runtime
    from explorer.recovery.grid import grid, n_points

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
    from explorer.recovery.grid import Working

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
    from explorer.pruning.level import with_sparsity
    from explorer.recovery.order import advice, orders

    told = orders(
        model, with_sparsity(spec, level), data, bits=args.bits, training=_training(args), evaluator=evaluator
    )
    return advice(list(_tried(told)), evaluator, share=level, bits=args.bits)


def _tried(told: Iterable[Tried | Working]) -> Iterator[Tried]:
    from explorer.recovery.grid import Working

    with printing.Progress("comparing orders") as progress:
        for item in told:
            if isinstance(item, Working):
                progress.show(item.what)
            else:
                yield item


def point_json(point: GridPoint) -> dict[str, Any]:
    """One point as a JSON-able object."""
    from explorer.analysis.report import finite

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
