"""``sweep``: accuracy at rising compression, one line a point."""

from __future__ import annotations

from dataclasses import asdict

from explorer.analysis.comparison.comparison import Comparison
from explorer.analysis.parent import looks_at_test
from explorer.analysis.report import data_json, finite
from explorer.analysis.tradeoff import label_of, pareto
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run import fairness
from explorer.cli.run.loading import load_data, load_model
from explorer.cli.run.request import levels, prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.cli.run.tasks import context_of, shown
from explorer.errors import ExplorerError
from explorer.tasks.running import results
from explorer.tasks.sweep import SweepRequest
from explorer.text.delta import delta_text, named
from explorer.text.numbers import level
from explorer.types import Dataset, LoadedModel, TradeOffPoint
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Measure every level on the tune split."""
    spec = prune_spec(args)
    shares = None if args.sparsities is None else levels("--sparsities", args.sparsities, 0, 1)
    ratios = levels("--ratios", args.ratios, 1, float("inf"))
    model = load_model(args)
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        raise ExplorerError(f"{args.model} cannot be run.", why=why, fix="Give --arch; inspect works without one.")
    data = load_data(args, model)
    spec = with_curves(args, model, spec)
    comparison = fairness.comparison_of(args, model, data, spec)
    sweeps = [SweepRequest(request, ratios, shares, label=label) for label, request in comparison.requests()]
    n = len(shares or ratios) * len(sweeps)
    with context_of(args, model, data) as context:  # it knows the dense model's answers for all
        points = (point for sweep in sweeps for point in results(sweep, context))
        comparison = comparison.with_points(shown(points, "sweeping", n, sweeps[0].describe))
    _say(args, model, data, comparison)
    return 0


def _say(args: Arguments, model: LoadedModel, data: Dataset, comparison: Comparison) -> None:
    label, points = label_of(comparison.compared[0].spec), comparison.curves[0].points
    best, n_looks = pareto(points), _looks(args, model, data)
    if args.json:
        printing.say_json(
            {
                "model": {"address": model.address, "digest": model.digest},
                "data": data_json(data),
                "split": "tune",
                "looks_at_test": n_looks,
                "label": label,
                "points": [point_json(p) | {"on_front": p in best} for p in points],
                **fairness.fairness_json(comparison, point_json),
            }
        )
        return
    judged = printing.judged(points)
    head = ("asked", "pruned", "ratio", "speedup", "size", judged, "95 % interval", named(judged), "front")
    name = printing.clean_terminal(model.address)
    printing.say(f"{name} on {data.address}, split tune: {label}", "")
    printing.say(*printing.table(head, [_cells(p, p in best) for p in points], left=0))
    printing.say(*fairness.lines(comparison))


def point_json(point: TradeOffPoint) -> JsonDict:
    """One point as a JSON-able object; an infinite ratio (nothing is left) becomes None."""
    return dict(finite(asdict(point)))


def _looks(args: Arguments, model: LoadedModel, data: Dataset) -> int | None:
    """How often the test split was looked at; None where the count cannot be read, which is no matter of a sweep."""
    try:
        return looks_at_test(model, data, args.data_dir)
    except ExplorerError as error:
        printing.note(printing.clean_terminal(error))
        return None


def _cells(p: TradeOffPoint, on_front: bool) -> list[str]:
    return [
        printing.percent(p.asked),
        printing.percent(p.sparsity),
        printing.times(p.compression_ratio),
        printing.times(p.theoretical_speedup),
        printing.bytes_counted(p.size_bytes),
        level(p.accuracy),
        printing.interval(p.accuracy),
        delta_text(p.drop),
        "*" if on_front else "",
    ]
