"""``prune``: write the pruned model to a file, whole and verified or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, data_for, load_model
from explorer.cli.request import add_request, prune_spec
from explorer.cli.scanning import with_curves

if TYPE_CHECKING:
    from explorer.types import LoadedModel, Plan

NAME = "prune"
HELP = "Write a pruned model: with zeros in place of what went, or with smaller tensors."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.safetensors", help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    forms = "masked: zeros are stored (default); sliced: whole units are removed, proven on the tune split"
    parser.add_argument("--form", choices=("masked", "sliced"), default="masked", help=forms)
    add_request(parser)
    add_data(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Prune and write."""
    from explorer.analysis.report import report
    from explorer.cli.evaluate import remarks
    from explorer.export.weights import write_pruned
    from explorer.pruning.plan import plan as make_plan

    spec = prune_spec(args)
    model = load_model(args)
    spec = with_curves(args, model, spec)
    plan = make_plan(model, spec, data=data_for(args, model, spec))
    if args.form == "sliced":
        return _sliced(args, model, plan)
    written = write_pruned(model, plan, Path(args.output), force=args.force)
    found = report(model, plan)
    if args.json:
        files = {"weights": str(written.weights), "spec": str(written.spec), "bytes": written.n_bytes}
        printing.say_json(found.to_json() | {"form": "masked", "written": files})
        return 0
    printing.say(
        f"Wrote {printing.plain(written.weights)} ({printing.count(written.n_bytes)} B) and {written.spec.name}.",
        f"{printing.count(plan.n_pruned)} of {printing.count(plan.layers.n_prunable)} weights are zero "
        f"({printing.percent(plan.sparsity)}, asked {printing.percent(plan.asked)}).",
        "The zeros are stored, so the file is as large as the dense one.",
        *remarks(found),
    )
    return 0


def _sliced(args: Arguments, model: LoadedModel, plan: Plan) -> int:
    """Write the smaller network with its proof."""
    from explorer.analysis.report import report
    from explorer.cli.evaluate import remarks
    from explorer.cli.export import proof_lines, reached, slim_written

    made = slim_written(args, model, plan)
    found = report(model, plan)
    if args.json:
        printing.say_json(found.to_json() | {"form": "sliced", **made})
        return 0
    counts, files = found.parameters, made["written"]
    printing.say(
        f"Wrote {printing.plain(files['weights'])} ({printing.count(files['bytes'])} B) and its description.",
        *reached(plan)[:1],
        f"{printing.count(counts['kept'].value)} of {printing.count(counts['total'].value)} parameters are left.",
        *proof_lines(made["proof"]),
        *remarks(found),
    )
    return 0
