"""``prune``: write the pruned weights to a file, whole and verified or not at all."""

from __future__ import annotations

from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_model, load_model
from explorer.cli.request import add_request, prune_spec

NAME = "prune"
HELP = "Write a model with its pruned weights set to zero, and the request beside it."


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="OUT.safetensors", help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    add_request(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Prune and write."""
    from explorer.analysis.report import report
    from explorer.cli.evaluate import remarks
    from explorer.export.weights import write_pruned
    from explorer.pruning.plan import plan as make_plan

    spec = prune_spec(args)
    model = load_model(args)
    plan = make_plan(model, spec)
    written = write_pruned(model, plan, Path(args.output), force=args.force)
    found = report(model, plan)
    if args.json:
        files = {"weights": str(written.weights), "spec": str(written.spec), "bytes": written.n_bytes}
        printing.say_json(found.to_json() | {"written": files})
        return 0
    printing.say(
        f"Wrote {printing.plain(written.weights)} ({printing.count(written.n_bytes)} B) and {written.spec.name}.",
        f"{printing.count(plan.n_pruned)} of {printing.count(plan.layers.n_prunable)} weights are zero "
        f"({printing.percent(plan.sparsity)}, asked {printing.percent(plan.asked)}).",
        "The zeros are stored, so the file is as large as the dense one.",
        *remarks(found),
    )
    return 0
