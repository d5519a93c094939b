"""``scan``: what each layer costs when it alone is pruned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, load_data, load_model, whole
from explorer.cli.keeping import add_keeping
from explorer.cli.request import prune_spec, share
from explorer.cli.scanning import keep, shown
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from explorer.analysis.cell import Cell
    from explorer.analysis.sensitivity import Sensitivity
    from explorer.pruning.spec import PruneSpec
    from explorer.types import Dataset, LoadedModel

NAME = "scan"
HELP = "Prune each layer alone, level by level, and measure what it costs."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    group = parser.add_argument_group("what to scan")
    group.add_argument("--granularity", metavar="G", help="what is one unit: weight (default), out_channel")
    group.add_argument("--criterion", metavar="C", help="which units go first: lp_norm (default), lp_norm:p=1, random")
    group.add_argument("--levels", metavar="S,S", help="shares to prune (default: 0.1,0.2,...,0.9,0.95)")
    group.add_argument("--layers", metavar="L,L", help="only these layers")
    group.add_argument("--max-drop", type=share, metavar="S", help="leave a layer once it costs more, e.g. 0.05 or 5%%")
    group = parser.add_argument_group("how to measure")
    group.add_argument("--mode", choices=("exact", "verified", "estimate"), default="exact", help="default: exact")
    group.add_argument("--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted")
    group.add_argument("--samples", type=whole, metavar="N", help="only the first N samples of the split")
    group.add_argument("--quick", action="store_true", help="no run at all: the weight energy that each level removes")
    add_data(parser)
    parser.add_argument("--csv", metavar="FILE", help="write the cells as a table")
    add_keeping(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Scan, and continue where an earlier scan of the same model and data ended."""
    spec = _spec(args)
    levels = _levels(args.levels)
    layers = None if args.layers is None else [name for name in args.layers.split(",") if name]
    model = load_model(args)
    if args.quick:
        return _quick(args, model, spec, levels)
    data = load_data(args, model)
    n_looks = _look(args, model, data)
    found = _scanned(args, model, data, spec, levels, layers)
    if args.csv:
        _write(Path(args.csv), found.to_csv())
    if args.json:
        printing.say_json(_json(args, model, data, spec, found) | {"looks_at_test": n_looks})
        return 0
    printing.say(*_lines(args, model, data, found))
    if n_looks is not None:
        printing.say("", f"This was look number {n_looks} at the locked test split of this data with this model.")
    return 0


def _spec(args: Arguments) -> PruneSpec:
    defaults: dict[str, Any] = {"spec": None, "allocation": None, "lock": [], "unlock": [], "floor": [], "cap": []}
    for name, value in defaults.items():
        setattr(args, name, value)
    return prune_spec(args)


def _levels(text: str | None) -> tuple[float, ...]:
    from explorer.analysis.cell import LEVELS

    if text is None:
        return LEVELS
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise ExplorerError(f"--levels {text!r} is not a list of shares.", fix="Write --levels 0.1,0.5,0.9.") from None


def _look(args: Arguments, model: LoadedModel, data: Dataset) -> int | None:
    from explorer.store.looks import count_look

    return count_look(model.digest, data.digest, args.data_dir) if args.split == "test" else None


def _scanned(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    spec: PruneSpec,
    levels: tuple[float, ...],
    layers: list[str] | None,
) -> Sensitivity:
    from explorer.analysis.sensitivity import Sensitivity, scan, scan_size

    cells = scan(
        model,
        data,
        spec,
        levels=levels,
        layers=layers,
        mode=args.mode,
        split=args.split,
        max_drop=args.max_drop,
        n_samples=args.samples,
        keep=keep(args),
        device=args.device,
    )
    return Sensitivity.of(shown(cells, scan_size(model, spec, data, levels=levels, layers=layers)))


def _json(args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec, found: Sensitivity) -> dict[str, Any]:
    from explorer.analysis.report import data_json

    request = spec.to_json()
    return {
        "model": {"address": model.address, "digest": model.digest},
        "data": data_json(data),
        "split": args.split,
        "mode": args.mode,
        "granularity": request["granularity"],
        "criterion": request["criterion"],
        **found.to_json(),
    }


def _lines(args: Arguments, model: LoadedModel, data: Dataset, found: Sensitivity) -> list[str]:
    from explorer.metrics.base import JUDGED_NAMES

    if not found.cells:
        return [f"{printing.plain(model.address)} has no layer that can be scanned this way."]
    first = found.cells[0]
    judged = JUDGED_NAMES[first.judged_by]
    where = f"{printing.plain(model.address)} on {data.address}, split {args.split}"
    head = f"{where}, {first.total} samples, mode {args.mode}"
    dense = printing.percent(found.dense_accuracy)
    legend = f"Drop of {judged} in points when one layer alone is pruned; dense: {dense}"
    columns = ("layer", *(f"{level:.0%}" for level in found.levels))
    rows = [(knob, *(_drop(found.cell(knob, level)) for level in found.levels)) for knob in found.knobs]
    fragile = ", ".join(map(printing.plain, found.most_fragile()))
    return [head, legend, "", *printing.table(columns, rows), "", f"most fragile: {fragile}", found.audit]


def _drop(cell: Cell | None) -> str:
    return "" if cell is None else printing.points(cell.drop.value)


def _quick(args: Arguments, model: LoadedModel, spec: PruneSpec, levels: tuple[float, ...]) -> int:
    from explorer.analysis.weight_energy import NOTE, energy

    found = energy(model, spec, levels)
    if args.json:
        rows = [{"knob": e.knob, "level": e.level, "n_pruned": e.n_pruned, "removed": e.removed.value} for e in found]
        printing.say_json({"model": {"address": model.address, "digest": model.digest}, "note": NOTE, "cells": rows})
        return 0
    by_knob: dict[str, list[str]] = {}
    for e in found:
        by_knob.setdefault(e.knob, []).append(printing.percent(e.removed.value))
    columns = ("layer", *(f"{level:.0%}" for level in sorted(set(levels))))
    lines = printing.table(columns, [(knob, *values) for knob, values in by_knob.items()])
    printing.say("Share of each layer's squared weights that a level removes.", NOTE, "", *lines)
    return 0


def _write(path: Path, text: str) -> None:
    from explorer.store.atomic import write_text

    write_text(path, text)
