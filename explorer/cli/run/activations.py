"""``activations``: skip small activations while the network runs, and see what that costs."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from explorer.analysis.layer_activations.result import ActivationSpread, ActivationStatistics, LayerActivations
from explorer.analysis.layer_activations.result import finite as if_finite
from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.request import share
from explorer.cli.run.loading import load_data, load_model, load_runnable
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, done
from explorer.cli.written import check_place
from explorer.errors import ExplorerError
from explorer.recovery.activation_threshold import ActivationPoint
from explorer.store.atomic import write_text
from explorer.tasks.activations import ActivationRequest
from explorer.tasks.layer_activations import LayerActivationsRequest, usual_split
from explorer.text.delta import DELTA, delta_text
from explorer.text.numbers import level
from explorer.text.spreadsheet import csv_text
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Measure each share on the tune split, or count what each layer gives."""
    if args.distribution or args.channels or args.csv:
        return _distribution(args)
    spec, shares = prune_spec(args), _shares(args.shares)
    model = load_model(args)
    data = load_data(args, model)
    spec = with_curves(args, model, spec)
    request = ActivationRequest(spec, shares)
    with context_of(args, model, data) as context:
        measured = list(done(request, context, "measuring"))
        plan = request.plan(context)
    if args.json:
        about = {"address": model.address, "digest": model.digest}
        sparsity = plan.sparsity if plan is not None else 0.0
        points = [point_json(p) for p in measured]
        printing.say_json({"model": about, "split": "tune", "sparsity": sparsity, "points": points})
        return 0
    head = ("asked", "zero", "zero before", "accuracy", "95 % interval", DELTA)
    printing.say(
        f"{printing.clean_terminal(model.address)} on {data.address}, split tune: activations below a threshold", ""
    )
    printing.say(*printing.table(head, [_cells(p) for p in measured], left=0))
    return 0


def _shares(text: str) -> tuple[float, ...]:
    try:
        shares = tuple(sorted({share(part) for part in text.split(",") if part}))
    except argparse.ArgumentTypeError as error:
        shares, why = (), f"{error}."
    else:
        why = "It is empty."
    if not shares:
        raise ExplorerError(f"--shares {text!r} is not a list of shares.", why=why, fix="Write --shares 0,0.5,0.9.")
    return shares


def point_json(point: ActivationPoint) -> JsonDict:
    """One point as a JSON-able object; the infinite threshold of share 1 becomes None."""
    return dict(
        finite(
            {
                "asked": point.asked,
                "thresholds": dict(point.thresholds),
                "layers": dict(point.layers),
                "skipped": asdict(point.skipped),
                "already_zero": asdict(point.already_zero),
                "accuracy": asdict(point.accuracy),
                "drop": asdict(point.drop),
            }
        )
    )


def _cells(p: ActivationPoint) -> list[str]:
    return [
        printing.percent(p.asked),
        printing.percent(p.skipped.value),
        printing.percent(p.already_zero.value),
        level(p.accuracy),
        printing.interval(p.accuracy),
        delta_text(p.drop),
    ]


def _distribution(args: Arguments) -> int:
    """Count what flows out of each layer, dense and as the request prunes."""
    spec = prune_spec(args)
    check_place(args.csv)
    model = load_runnable(args)
    data = load_data(args, model)
    request = LayerActivationsRequest(with_curves(args, model, spec), usual_split(data), args.samples)
    with context_of(args, model, data) as context:
        counted = list(done(request, context, "counting"))[-1]
    layer = _layer(counted, args.channels)
    if args.csv:
        rows = [row for each in counted.layers for row in each.channels()]
        write_text(Path(args.csv), csv_text(rows))
    if args.json:
        printing.say_json(counted.to_json() if layer is None else _channels_json(counted, layer))
        return 0
    what = "each layer" if layer is None else f"each channel of {printing.clean_terminal(layer.layer)}"
    head = f"{printing.clean_terminal(model.address)} on {data.address}, first {counted.n:,} of {counted.split}"
    printing.say(f"{head}: activations of {what}, measured", "")
    if layer is None:
        printing.say(*printing.table(_heads(counted, _HEAD), [_layer_cells(each) for each in counted.layers], left=2))
    else:
        printing.say(*printing.table(_heads(counted, _CHANNEL_HEAD), _channel_cells(layer), left=0))
    return 0


def _layer(counted: ActivationStatistics, name: str | None) -> LayerActivations | None:
    if name is None:
        return None
    layer = counted.get(name)
    if layer is None:
        names = ", ".join(each.layer for each in counted.layers) or "none"
        raise ExplorerError(f"No activations of {name!r} are seen.", fix=f"Choose one of: {names}.")
    return layer


def _channels_json(counted: ActivationStatistics, layer: LayerActivations) -> JsonDict:
    about = {key: value for key, value in counted.to_json().items() if key != "layers"}
    sides = {side: {"counts": spread.counts.tolist()} for side, spread in layer.sides}
    return about | {
        "layer": layer.layer,
        "after": layer.after,
        "edges": layer.edges,
        "channels": layer.channels(),
        **sides,
    }


_HEAD = ("layer", "after", "values", "low", "high")
_CHANNEL_HEAD = ("channel", "values")
_SIDES = ("zero", "mean", "std", "silent channels")


def _heads(counted: ActivationStatistics, first: tuple[str, ...]) -> tuple[str, ...]:
    sides = counted.layers[0].sides if counted.layers else ()
    columns = _SIDES if first is _HEAD else _SIDES[:-1]
    return (*first, *(f"{column}, {side}" for side, _ in sides for column in columns))


def _layer_cells(each: LayerActivations) -> list[str]:
    n = printing.count(each.dense.n * each.dense.n_channels)
    cells = [each.layer, each.after or "itself", n, printing.number(each.low), printing.number(each.high)]
    for _, spread in each.sides:
        mean, std = spread.overall
        silent = f"{spread.n_silent:,} of {spread.n_channels:,}"
        cells += [
            printing.percent(spread.zero_share),
            printing.number(if_finite(mean)),
            printing.number(if_finite(std)),
            silent,
        ]
    return cells


def _channel_cells(layer: LayerActivations) -> list[list[str]]:
    return [
        [
            str(channel),
            printing.count(layer.dense.n),
            *(cell for _, spread in layer.sides for cell in _row(spread, channel)),
        ]
        for channel in range(layer.dense.n_channels)
    ]


def _row(spread: ActivationSpread, channel: int) -> list[str]:
    mean, std = float(spread.mean[channel]), float(spread.std[channel])
    return [
        printing.percent(float(spread.zero_shares[channel])),
        printing.number(if_finite(mean)),
        printing.number(if_finite(std)),
    ]
