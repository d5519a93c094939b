"""``scan``: what each layer costs when it alone is pruned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from explorer.analysis.sensitivity.by_block import by_block
from explorer.analysis.sensitivity.cell import LEVELS, Cell
from explorer.analysis.sensitivity.scan import Sensitivity, scan_json
from explorer.analysis.sensitivity.weight_energy import NOTE, energy
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run.loading import load_data, load_model
from explorer.cli.run.request import prune_spec
from explorer.cli.run.tasks import context_of, done
from explorer.cli.written import check_place
from explorer.errors import ExplorerError
from explorer.params.numerals import real
from explorer.pruning.scoring import why_no_units
from explorer.pruning.spec import PruneSpec
from explorer.store.atomic import write_text
from explorer.tasks.scan import ScanRequest
from explorer.text.delta import delta_short, named, unit_words, worse_is_up
from explorer.text.numbers import percent_asked, points_at_most, valued, worse_by
from explorer.types import Dataset, LoadedModel, Scores


def run(args: Arguments) -> int:
    """Scan, and continue where an earlier scan of the same model and data ended."""
    spec = prune_spec(args)
    levels = _levels(args.levels)
    if args.by_block is not None and args.by_block not in levels:
        fix = f"Choose one of {', '.join(map(percent_asked, levels))}."
        raise ExplorerError(f"--by-block {percent_asked(args.by_block)} is none of the levels.", fix=fix)
    layers = None if args.layers is None else tuple(name for name in args.layers.split(",") if name)
    check_place(args.csv)
    model = load_model(args)
    if args.quick:
        return _quick(args, model, spec, levels, layers)
    data = load_data(args, model)
    request = ScanRequest(
        spec, levels, layers, args.mode, args.max_drop, split=args.split, n_samples=args.samples, seed=args.seed
    )
    with context_of(args, model, data) as context:
        sensitivity = Sensitivity.of(done(request, context, "scanning"), args.max_drop)
        scores = context.scores(request.spec)
    if args.csv:
        write_text(Path(args.csv), sensitivity.to_csv())
    if args.json:
        document = scan_json(model, data, spec, scores, sensitivity, mode=args.mode, split=args.split)
        printing.say_json(document | {"looks_at_test": context.n_looks})
        return 0
    printing.say(*_lines(args, model, data, scores, sensitivity))
    if context.n_looks is not None:
        look = f"This was look number {context.n_looks} at the locked test split of this data with this model."
        printing.say("", look)
    return 0


def _levels(text: str | None) -> tuple[float, ...]:
    if text is None:
        return LEVELS
    try:
        return tuple(real(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ExplorerError(f"--levels {text!r} is not a list of shares.", fix="Write --levels 0.1,0.5,0.9.") from None


def _lines(args: Arguments, model: LoadedModel, data: Dataset, scores: Scores, sensitivity: Sensitivity) -> list[str]:
    if not sensitivity.cells:
        why = printing.clean_terminal(why_no_units(scores) or "")
        return [f"{printing.clean_terminal(model.address)} has no layer that can be scanned this way. {why}".rstrip()]
    first = sensitivity.cells[0]
    where = f"{printing.clean_terminal(model.address)} on {data.address}, split {args.split}"
    head = f"{where}, {first.total} samples, mode {args.mode}"
    dense = valued(sensitivity.dense_accuracy, first.accuracy.unit)
    unit = unit_words(first.drop)
    legend = f"{named(sensitivity.judged)}{unit} when one layer alone is pruned, {first.drop.origin}; dense: {dense}"
    legend += "; positive is worse" if worse_is_up(first.drop) else ""
    columns = ("layer", *(percent_asked(level) for level in sensitivity.levels))
    rows = [
        (group, *(_delta(sensitivity.cell(group, level)) for level in sensitivity.levels))
        for group in sensitivity.groups
    ]
    rows_by_block = _by_block(args, sensitivity.groups, lambda layer: _delta(sensitivity.cell(layer, args.by_block)))
    notes = [sensitivity.fragile_words, *_not_scanned(scores), _reach(sensitivity), sensitivity.audit]
    tables = [*printing.table(columns, rows), "", *rows_by_block]
    return [head, legend, "", *tables, *map(printing.clean_terminal, filter(None, notes))]


def _reach(sensitivity: Sensitivity) -> str:
    """How wide the intervals are; the CSV file and --json have each."""
    drops = [cell.drop for cell in sensitivity.cells]
    wide = [(d.high - d.low) / 2 for d in drops if d.low is not None and d.high is not None]
    if not wide:
        return ""
    unit = drops[0].unit
    widest = points_at_most(max(wide)) if unit == "fraction" else f"{worse_by(max(wide), unit)} or less"
    return f"95 % intervals: {widest} either way."


def _not_scanned(scores: Scores) -> list[str]:
    """Which layers are left out and why, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for group in scores.groups:
        if group.why_not is not None:
            reasons.setdefault(group.why_not, []).append(group.name)
    return [f"Not scanned: {', '.join(names)}. {why}" for why, names in reasons.items()]


def _by_block(args: Arguments, layers: Sequence[str], text: Callable[[str], str]) -> list[str]:
    """One level by kind of layer and by block, where that was asked for."""
    if args.by_block is None:
        return []
    table = by_block(layers)
    if table is None:
        return ["Not by block: this network is no list of blocks with several kinds of layer.", ""]
    rows = [
        (kind, *("" if layer is None else text(layer) for layer in row))
        for kind, row in zip(table.kinds, table.layers, strict=True)
    ]
    head = f"{percent_asked(args.by_block)} of each layer, by block:"
    return [head, "", *printing.table(("kind", *map(str, table.blocks)), rows), ""]


def _delta(cell: Cell | None) -> str:
    return "" if cell is None else delta_short(cell.drop)


def _quick(
    args: Arguments, model: LoadedModel, spec: PruneSpec, levels: tuple[float, ...], layers: tuple[str, ...] | None
) -> int:
    energies = energy(model, spec, levels, layers=layers)
    if args.json:
        rows = [
            {"group": e.group, "level": e.level, "n_pruned": e.n_pruned, "removed": e.removed.value} for e in energies
        ]
        printing.say_json({"model": {"address": model.address, "digest": model.digest}, "note": NOTE, "cells": rows})
        return 0
    by_group: dict[str, list[str]] = {}
    for e in energies:
        by_group.setdefault(e.group, []).append(printing.percent(e.removed.value))
    removed = {e.group: printing.percent(e.removed.value) for e in energies if e.level == args.by_block}
    columns = ("layer", *(percent_asked(level) for level in sorted(set(levels))))
    lines = printing.table(columns, [(group, *values) for group, values in by_group.items()])
    below = _by_block(args, list(by_group), lambda layer: removed.get(layer, ""))
    printing.say("Share of each layer's squared weights that a level removes.", NOTE, "", *lines, "", *below)
    return 0
