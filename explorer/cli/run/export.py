"""``export``: write a pruned model in another form, proven or read back before it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.run import int8
from explorer.cli.run.loading import data_for, load_data, load_model
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.errors import ExplorerError
from explorer.export.onnx_model import write_onnx
from explorer.export.packed import KINDS, write_packed
from explorer.export.proof import Proof
from explorer.export.script import masks_sha256, write_script
from explorer.export.slim import write_slim
from explorer.export.spec import write_spec
from explorer.export.weights import write_pruned
from explorer.pruning.plan import plan as make_plan
from explorer.types import LoadedModel, Plan, Split
from explorer.types.aliases import JsonDict, JsonObject


def run(args: Arguments) -> int:
    """Prune and write."""
    if args.int8 and args.to != "onnx":
        raise ExplorerError(f"--int8 does not go with --to {args.to}.", fix="Write --to onnx --int8 dynamic.")
    spec = prune_spec(args)
    model = load_model(args)
    spec = with_curves(args, model, spec)
    plan = make_plan(model, spec, data=data_for(args, model, spec))
    written = WRITERS[args.to](args, model, plan)
    counted = {"asked": plan.asked, "sparsity": plan.sparsity, "n_pruned": plan.n_pruned}
    counted |= {"n_already_zero": plan.n_already_zero}
    if args.json:
        about = {"model": {"address": model.address, "digest": model.digest}, "spec": dict(plan.spec), **counted}
        printing.say_json({**about, "notes": list(plan.notes), "to": args.to, **written})
        return 0
    files = written["written"]
    printing.say(
        f"Wrote {printing.clean_terminal(args.output)} ({printing.bytes_counted(files['bytes'])}).", *reached(plan)
    )
    printing.say(*proof_lines(written.get("proof")), *map(printing.clean_terminal, int8.lines(written.get("int8"))))
    return 0


def tune_split(args: Arguments, model: LoadedModel) -> Split | None:
    """The samples a proof looks at; None where there is no data, then inputs are generated."""
    if (args.data or model.data) is None:
        return None
    return load_data(args, model).splits.get("tune")


def reached(plan: Plan) -> list[str]:
    """What was asked and what was reached, side by side, and why they differ."""
    sentence = (
        f"{printing.count(plan.n_pruned)} of {printing.count(plan.layers.n_prunable)} weights pruned "
        f"({printing.percent(plan.pruned_share)}; asked {printing.percent(plan.asked)}"
        f"{'' if plan.unit == 'weight' else f' of the {plan.unit}s'})."
    )
    return [sentence, *zeros_before(plan), *(printing.clean_terminal(f"note: {note}") for note in plan.notes)]


def zeros_before(plan: Plan) -> list[str]:
    """How many weights were zero already, and how many are in all; nothing where there were none."""
    if not plan.n_already_zero:
        return []
    before, in_all = printing.count(plan.n_already_zero), printing.count(plan.n_zero)
    return [f"{before} weights were zero already; {in_all} are zero in all ({printing.percent(plan.sparsity)})."]


def proof_lines(proof: JsonObject | None) -> list[str]:
    """Every check of a proof in a line."""
    marks = {True: "proven", False: "failed", None: "not tried"}
    return [
        f"{marks[check['ok']]}: {printing.clean_terminal(check['sentence'])}"
        for check in (proof or {}).get("checks", ())
    ]


def slim_written(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    """Write the slim model; the files and the proof, JSON-able."""
    slim = write_slim(model, plan, Path(args.output), split=tune_split(args, model), force=args.force)
    return _with_proof({"weights": str(slim.weights), "arch": str(slim.arch), "bytes": slim.n_bytes}, slim.proof)


def _onnx(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    if args.int8:
        return int8.written(args, model, plan)
    exported = write_onnx(model, plan, Path(args.output), split=tune_split(args, model), force=args.force)
    return _with_proof({"onnx": str(exported.path), "bytes": exported.n_bytes}, exported.proof)


def _with_proof(files: JsonDict, proof: Proof) -> JsonDict:
    return {"written": files, "proof": proof.to_json()}


def _packed(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    n_bytes = write_packed(model, plan, Path(args.output), args.to, force=args.force)
    return {"written": {"weights": args.output, "bytes": n_bytes}}


def _weights(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    files = write_pruned(model, plan, Path(args.output), force=args.force)
    return {"written": {"weights": str(files.weights), "spec": str(files.spec), "bytes": files.n_bytes}}


def _spec(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    return {"written": {"spec": args.output, "bytes": write_spec(model, plan, Path(args.output), force=args.force)}}


def _script(args: Arguments, model: LoadedModel, plan: Plan) -> JsonDict:
    n_bytes = write_script(model, plan, Path(args.output), force=args.force)
    return {"written": {"script": args.output, "bytes": n_bytes}, "masks_sha256": masks_sha256(plan)}


WRITERS: Mapping[str, Callable[[Arguments, LoadedModel, Plan], JsonDict]] = {
    "slim": slim_written,
    "onnx": _onnx,
    **dict.fromkeys(KINDS, _packed),
    "weights": _weights,
    "spec": _spec,
    "script": _script,
}
