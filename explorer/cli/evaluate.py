"""``evaluate``: prune as asked, in memory, and measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, load_data, load_model
from explorer.cli.keeping import add_keeping, kept
from explorer.cli.request import add_request, prune_spec
from explorer.errors import ExplorerError

if TYPE_CHECKING:
    from explorer.analysis.report import Report
    from explorer.types import Dataset, Evaluation, LoadedModel, Plan

NAME = "evaluate"
HELP = "Prune a model in memory and measure what is left of its accuracy."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    add_request(parser)
    add_data(parser)
    parser.add_argument(
        "--split", choices=("tune", "test"), default="tune", help="test is locked: each look is counted"
    )
    add_keeping(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Measure one request."""
    from explorer.analysis.report import report
    from explorer.analysis.tradeoff import point
    from explorer.metrics.macs import mac_table, why_no_macs
    from explorer.pruning.plan import plan as make_plan

    spec = prune_spec(args)
    model = load_model(args)
    if model.module is None:
        why = model.why_not_runnable or "Its architecture is not known."
        fix = "Give --arch; inspect and prune work without one."
        raise ExplorerError(f"{args.model} cannot be run.", why=why, fix=fix)
    plan = make_plan(model, spec)
    data = load_data(args, model)
    evaluation, n_looks = measured(args, model, data, plan)
    table = None if why_no_macs(model) else mac_table(model)
    points = [point(model, spec, plan, evaluation, table)]
    list(kept(args, model, data, points, split=args.split, kind=NAME))
    found = report(
        model, plan, evaluation, data=data, split=args.split, table=table, compress=True, looks_at_test=n_looks
    )
    if args.json:
        printing.say_json(found.to_json())
    else:
        printing.say(*_lines(found), *_looks(n_looks))
    return 0


def measured(args: Arguments, model: LoadedModel, data: Dataset, plan: Plan) -> tuple[Evaluation, int | None]:
    """Evaluate to the end with progress on standard error; count the look where it is the test split."""
    from explorer.analysis.given import split_of
    from explorer.engine.evaluator import Evaluator
    from explorer.store.looks import count_look

    split = split_of(data, args.split)
    n_looks = count_look(model.digest, data.digest, args.data_dir) if args.split == "test" else None
    last: Evaluation | None = None
    with printing.Progress(f"measuring on {args.split}") as progress:
        for last in Evaluator(model, split, device=args.device).run(plan):
            progress.show(f"{last.n} of {last.total}, {printing.percent(last.accuracy.value)}")
    if last is None:
        raise ExplorerError(f"The {args.split} split of {data.address} is empty.", fix="Choose another split or data.")
    return last, n_looks


def _lines(found: Report) -> list[str]:
    rows = [*_metric_rows(found), *_count_rows(found)]
    lines = [f"{found.model.address}, judged on {found.data.address if found.data else 'nothing'}, split {found.split}"]
    lines += ["", *printing.table(("what", "value", "95 % interval", "origin"), rows), ""]
    lines += printing.table(("layer", "kind", "weights", "pruned", "share", "threshold"), _layer_rows(found))
    return [*lines, *remarks(found)]


def _metric_rows(found: Report) -> list[tuple[str, str, str, str]]:
    judged = found.evaluation
    if judged is None:
        return []
    rows = []
    dense = found.dense_accuracy
    if dense is not None:
        rows.append(("dense accuracy", printing.percent(dense.value), printing.interval(dense)))
        rows.append(("accuracy", printing.percent(judged.accuracy.value), printing.interval(judged.accuracy)))
        drop = f"{printing.points(judged.drop.value)} points"
        rows.append(("drop against dense", drop, printing.interval(judged.drop, signed=True)))
    share = printing.percent(judged.agreement.value)
    rows.append(("agreement with dense", share, printing.interval(judged.agreement)))
    return [(*row, judged.accuracy.origin) for row in rows]


def _count_rows(found: Report) -> list[tuple[str, str, str, str]]:
    plan = found.plan
    rows = [
        ("sparsity asked", printing.percent(plan.asked), "", ""),
        ("sparsity reached", printing.percent(plan.sparsity), "", "counted"),
        ("compression ratio, parameters", printing.times(found.compression_ratio), "", "counted"),
    ]
    if found.speedup is not None:
        rows.append(("theoretical speedup, MACs", printing.times(found.speedup.value), "", "counted"))
    rows += [(f"MACs, {kind}", printing.count(m.value), "", m.origin) for kind, m in found.macs.items()]
    names = {kind: f"size, {kind.replace('_', ' ')}" for kind in found.sizes}
    return rows + [(names[kind], f"{printing.count(m.value)} B", "", m.origin) for kind, m in found.sizes.items()]


def _layer_rows(found: Report) -> list[tuple[str, ...]]:
    from explorer.analysis.report import layer_rows

    return [
        (
            row["name"],
            row["kind"],
            printing.count(row["n_weights"]),
            printing.count(row["n_pruned"]),
            printing.percent(row["n_pruned"] / max(1, row["n_weights"])),
            printing.number(row["threshold"]),
        )
        for row in layer_rows(found.plan)
        if row["prunable"]
    ]


def remarks(found: Report) -> list[str]:
    """Repairs, notes and findings, one line each."""
    lines = [f"repaired: {text}" for text in found.model.repairs]
    lines += [f"note: {text}" for text in found.notes]
    lines += [printing.finding_line(f) for f in found.findings]
    return ["", *map(printing.plain, lines)] if lines else []


def _looks(n: int | None) -> list[str]:
    if n is None:
        return []
    return ["", f"This was look number {n} at the locked test split of this data with this model."]
