"""``activations``: skip small activations while the network runs, and see what that costs."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.request import share
from explorer.cli.run.loading import load_data, load_model
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, done
from explorer.errors import ExplorerError
from explorer.recovery.activation_threshold import ActivationPoint
from explorer.tasks.activations import ActivationRequest
from explorer.text.delta import DELTA, delta_text
from explorer.text.numbers import level
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Measure each share on the tune split."""
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
