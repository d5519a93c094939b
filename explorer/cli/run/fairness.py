"""What a sweep owes a fair comparison: several seeds, controls, and a verdict with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from explorer.analysis.comparison.compare import usual_seeds
from explorer.analysis.comparison.comparison import Comparison
from explorer.analysis.comparison.seeds import Level, is_a_curve, levels, n_operating_points
from explorer.analysis.comparison.subject import Subject
from explorer.analysis.report import finite
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.errors import ExplorerError
from explorer.metrics.macs import mac_table, why_no_macs
from explorer.pruning.controls import NAMES, draws_by_chance
from explorer.pruning.spec import PruneSpec
from explorer.text.delta import change_of_mean, named
from explorer.text.numbers import between, valued
from explorer.types import Dataset, LoadedModel, TradeOffPoint
from explorer.types.aliases import JsonDict

_MOST_SEEDS = 100


def comparison_of(args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec) -> Comparison:
    """What to sweep: the request alone, or under several seeds, or beside its controls as on the trade-off page."""
    _check(args, spec)
    comparison = Comparison.of(
        model,
        data,
        [spec],
        seeds=_seeds(args, model, data),
        lock_classifier=args.controls and not args.free_classifier,
        has_controls=args.controls,
    )
    return replace(comparison, subject=Subject.of(model, data, args.data_dir))


def _check(args: Arguments, spec: PruneSpec) -> None:
    if args.seeds is not None and not 1 <= args.seeds <= _MOST_SEEDS:
        raise ExplorerError(f"--seeds {args.seeds} is not a number of seeds.", fix=f"Give 1 to {_MOST_SEEDS}.")
    if args.seeds is not None and not args.controls and not draws_by_chance(spec):
        what = f"{spec.criterion.label} draws nothing by chance."
        raise ExplorerError(what, fix="Leave out --seeds, or add --controls.")
    if args.free_classifier and not args.controls:
        raise ExplorerError("--free-classifier is about a comparison.", fix="Add --controls, or leave it out.")


def _seeds(args: Arguments, model: LoadedModel, data: Dataset) -> tuple[int, ...]:
    if args.seeds is not None:
        return tuple(range(args.seed, args.seed + args.seeds))
    if not args.controls:
        return ()
    usual = usual_seeds(None if why_no_macs(model) else mac_table(model), data)
    return tuple(args.seed + seed for seed in usual)


def fairness_json(comparison: Comparison, point_json: Callable[[TradeOffPoint], JsonDict]) -> JsonDict:
    """Means and spreads of the seeds at each level, the controls, the verdicts, and how far they reach."""
    own, *controls = comparison.curves
    verdicts = {pair.control: pair.verdicts for pair in comparison.pairs}
    at = comparison.furthest()
    return {
        "levels": [finite(level.to_json()) for level in levels(own.points)],
        "is_curve": is_a_curve(own.points),
        "controls": [
            {
                "name": NAMES[method.spec.criterion.key],
                "points": [point_json(p) for p in control.points],
                "levels": [finite(level.to_json()) for level in levels(control.points)],
                "verdicts": [v.to_json() for v in verdicts[method]],
            }
            for method, control in zip(comparison.compared[1:], controls, strict=True)
        ],
        "verdicts": [] if at is None else [v.to_json() for v in comparison.verdicts(at)],
        "sentences": [] if at is None else list(comparison.sentences(at)),
        "scope": comparison.scope(at),
    }


def lines(comparison: Comparison) -> list[str]:
    """For people: what several seeds gave at each level, the controls, and the verdicts with how far they reach."""
    out: list[str] = []
    for method, curve in zip(comparison.compared, comparison.curves, strict=True):
        by_level = levels(curve.points)
        if method.is_control or any(level.n_seeds > 1 for level in by_level):
            name = f"control: {method.name}" if method.is_control else method.name
            judged = printing.judged(curve.points)
            head = ("asked", "pruned", "ratio", "speedup", judged, "lowest to highest", "seeds", named(judged))
            out += ["", name, *printing.table(head, [_cells(level) for level in by_level], left=0)]
    if not is_a_curve(comparison.curves[0].points):
        n = n_operating_points(comparison.curves[0].points)
        out += ["", f"Fewer than five operating points ({n} beside the dense model): not a curve yet."]
    if comparison.has_controls:
        at = comparison.furthest()
        none = ["No verdict: no pruned size was reached by both."]
        out += ["", *(none if at is None else comparison.sentences(at)), printing.clean_terminal(comparison.scope(at))]
    return out


def _cells(level: Level) -> list[str]:
    low, high = level.spread
    asked, unit = level.points[0].asked_ratio, level.points[0].accuracy.unit
    return [
        printing.times(asked) if asked is not None else printing.percent(level.mean(lambda p: p.asked)),
        printing.percent(level.mean(lambda p: p.sparsity)),
        printing.times(level.mean(lambda p: p.compression_ratio)),
        printing.times(level.mean(lambda p: p.theoretical_speedup)),
        valued(level.accuracy, unit),
        between(low, high) if unit == "fraction" else f"{printing.number(low)} – {printing.number(high)}",
        str(level.n_seeds),
        change_of_mean(level.points[0].drop, level.drop),
    ]
