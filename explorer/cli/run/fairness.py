"""What a sweep owes a fair comparison: several seeds, controls, and a verdict with its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from explorer.analysis.comparison.seeds import Level, is_a_curve, levels
from explorer.analysis.comparison.verdict import METHOD, Verdict, compared, telling
from explorer.analysis.report import finite
from explorer.analysis.tradeoff import label_of
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.fairness import CONTROL_SEEDS
from explorer.errors import ExplorerError
from explorer.pruning.controls import NAMES, controls_of, draws_by_chance, with_seeds
from explorer.pruning.spec import PruneSpec
from explorer.types import TradeOff, TradeOffPoint

Measure = Callable[[PruneSpec], Iterator[TradeOffPoint]]
Watch = Callable[[Iterator[TradeOffPoint]], None]
_MOST_SEEDS = 100
_BUDGET = 0.01


def requests(args: Arguments, spec: PruneSpec) -> list[tuple[PruneSpec, ...]]:
    """What to sweep: the request once for each seed, then each control likewise."""
    if args.seeds is not None and not 1 <= args.seeds <= _MOST_SEEDS:
        raise ExplorerError(f"--seeds {args.seeds} is not a number of seeds.", fix=f"Give 1 to {_MOST_SEEDS}.")
    if args.seeds is not None and not args.controls and not draws_by_chance(spec):
        what = f"{spec.criterion.label} draws nothing by chance."
        raise ExplorerError(what, fix="Leave out --seeds, or add --controls.")
    n, n_control = args.seeds or 1, args.seeds or CONTROL_SEEDS
    own = with_seeds(spec, range(args.seed, args.seed + n)) if args.seeds else (spec,)
    controls = controls_of(spec) if args.controls else ()
    return [own, *(with_seeds(control, range(args.seed, args.seed + n_control)) for control in controls)]


def measured(wanted: Sequence[Sequence[PruneSpec]], sweep: Measure, watch: Watch) -> list[TradeOff]:
    """The curve of each request, its seeds together; the first is no control. ``watch`` sees each point as it comes."""
    found: list[list[TradeOffPoint]] = [[] for _ in wanted]

    def points() -> Iterator[TradeOffPoint]:
        for some, specs in zip(found, wanted, strict=True):
            for point in (point for spec in specs for point in sweep(spec)):
                some.append(point)
                yield point

    watch(points())
    labels = [NAMES[specs[0].criterion.key] if i else label_of(specs[0]) for i, specs in enumerate(wanted)]
    return [TradeOff(labels[i], tuple(some), is_control=i > 0) for i, some in enumerate(found)]


def verdicts(curves: Sequence[TradeOff]) -> list[Verdict]:
    """Of the request against each control at the furthest level within a point of accuracy, else at the least."""
    own, *controls = curves
    found = (telling(own, compared(own, control), _BUDGET) for control in controls)
    return [verdict for verdict in found if verdict is not None]


def fairness_json(curves: Sequence[TradeOff], point_json: Callable[[TradeOffPoint], dict[str, Any]]) -> dict[str, Any]:
    """Means and spreads of the seeds at each level, the controls, and the verdicts."""
    own, *controls = curves
    return {
        "levels": [finite(level.to_json()) for level in levels(own.points)],
        "is_curve": is_a_curve(own.points),
        "controls": [
            {
                "name": control.label,
                "points": [point_json(p) for p in control.points],
                "levels": [finite(level.to_json()) for level in levels(control.points)],
                "verdicts": [v.to_json() for v in compared(own, control)],
            }
            for control in controls
        ],
        "verdicts": [v.to_json() for v in verdicts(curves)],
    }


def lines(curves: Sequence[TradeOff], scope: str) -> list[str]:
    """For people: what several seeds gave at each level, the controls, and the verdicts with how far they reach."""
    own, *controls = curves
    out: list[str] = []
    for curve in curves:
        found = levels(curve.points)
        if curve.is_control or any(level.n_seeds > 1 for level in found):
            name = f"control: {curve.label}" if curve.is_control else curve.label
            head = ("asked", "pruned", "ratio", "speedup", "accuracy", "lowest to highest", "seeds", "drop")
            out += ["", name, *printing.table(head, [_cells(level) for level in found], left=0)]
    if not is_a_curve(own.points):
        out += ["", "Fewer than five operating points: not a curve yet."]
    if controls:
        said = [f"{v.sentence[:1].upper()}{v.sentence[1:]}." for v in verdicts(curves)]
        none = ["No verdict: no pruned size was reached by both."]
        out += ["", *(said or none), f"{scope} {METHOD}."]
    return out


def _cells(level: Level) -> list[str]:
    low, high = level.spread
    asked = level.points[0].asked_ratio
    return [
        printing.times(asked) if asked is not None else printing.percent(level.mean(lambda p: p.asked)),
        printing.percent(level.mean(lambda p: p.sparsity)),
        printing.times(level.mean(lambda p: p.compression_ratio)),
        printing.times(level.mean(lambda p: p.theoretical_speedup)),
        printing.percent(level.accuracy),
        f"{100 * low:.2f} to {100 * high:.2f}",
        str(level.n_seeds),
        printing.points(level.drop),
    ]
