"""``prune``: write the pruned model to a file, whole and verified or not at all."""

from __future__ import annotations

from pathlib import Path

from explorer.analysis.report import report
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.exit_status import status_of
from explorer.cli.run.checkpoints import by_block, is_folder, prune_files
from explorer.cli.run.evaluate import remarks
from explorer.cli.run.export import proof_lines, reached, slim_written, tune_split, zeros_before
from explorer.cli.run.loading import data_for, load_model
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.errors import ExplorerError
from explorer.export.onnx_model import write_onnx
from explorer.export.weights import write_pruned
from explorer.pruning.plan import plan as make_plan
from explorer.types import LoadedModel, Plan


def run(args: Arguments) -> int:
    """Prune and write."""
    spec = prune_spec(args)
    if args.stream:
        return prune_files(args, spec)
    model = load_model(args)
    spec = with_curves(args, model, spec)
    if is_folder(args.output):
        return by_block(args, model, spec)
    plan = make_plan(model, spec, data=data_for(args, model, spec))
    if args.output.lower().endswith(".onnx"):
        return _onnx(args, model, plan)
    if args.form == "sliced":
        return _sliced(args, model, plan)
    written = write_pruned(model, plan, Path(args.output), force=args.force)
    result = report(model, plan)
    if args.json:
        files = {"weights": str(written.weights), "spec": str(written.spec), "bytes": written.n_bytes}
        printing.say_json(result.to_json() | {"form": "masked", "written": files})
        return status_of(args, result.findings)
    size = printing.bytes_counted(written.n_bytes)
    printing.say(
        f"Wrote {printing.clean_terminal(written.weights)} ({size}) and {written.spec.name}.",
        *reached(plan)[:1],
        *zeros_before(plan),
        "The zeros are stored, so the file is as large as the dense one.",
        *remarks(result),
    )
    return status_of(args, result.findings)


def _onnx(args: Arguments, model: LoadedModel, plan: Plan) -> int:
    """Write an ONNX file that was compared with the masked network in torch."""
    if args.form == "sliced":
        what = "An ONNX file of a smaller network is an export."
        raise ExplorerError(what, fix="Write: explorer export --to onnx, with --granularity out_channel.")
    exported = write_onnx(model, plan, Path(args.output), split=tune_split(args, model), force=args.force)
    result = report(model, plan)
    if args.json:
        files = {"onnx": str(exported.path), "bytes": exported.n_bytes}
        proof = exported.proof.to_json()
        printing.say_json(result.to_json() | {"form": "masked", "written": files, "proof": proof})
        return status_of(args, result.findings)
    size = printing.bytes_counted(exported.n_bytes)
    printing.say(
        f"Wrote {printing.clean_terminal(exported.path)} ({size}).",
        *reached(plan)[:1],
        *zeros_before(plan),
        *proof_lines(exported.proof.to_json()),
        *remarks(result),
    )
    return status_of(args, result.findings)


def _sliced(args: Arguments, model: LoadedModel, plan: Plan) -> int:
    """Write the smaller network with its proof."""
    slim = slim_written(args, model, plan)
    result = report(model, plan)
    if args.json:
        printing.say_json(result.to_json() | {"form": "sliced", **slim})
        return status_of(args, result.findings)
    counts, files = result.parameters, slim["written"]
    size = printing.bytes_counted(files["bytes"])
    printing.say(
        f"Wrote {printing.clean_terminal(files['weights'])} ({size}) and its description.",
        *reached(plan)[:1],
        f"{printing.count(counts['kept'].value)} of {printing.count(counts['total'].value)} parameters are left.",
        *proof_lines(slim["proof"]),
        *remarks(result),
    )
    return status_of(args, result.findings)
