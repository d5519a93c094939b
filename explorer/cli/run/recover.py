"""``recover``: prune and recover by a recipe, and measure what came of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from explorer.analysis.report import data_json, finite, report
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.exit_status import status_of
from explorer.cli.run.loading import load_data, load_runnable
from explorer.cli.run.recipe import read_recipe, recipe_of, write_recipe
from explorer.cli.run.tasks import context_of, done
from explorer.export.files import check_target
from explorer.export.weights import Written, write_pruned
from explorer.recovery.checkpoints import progress_json
from explorer.tasks.context import Context
from explorer.tasks.recovery import RecoveryOutcome, RecoveryRequest
from explorer.text.delta import named
from explorer.text.numbers import level
from explorer.types import Dataset, Finding, LoadedModel, Measurement
from explorer.types.aliases import JsonDict


def run(args: Arguments) -> int:
    """Recover, measure, keep, and write."""
    given = None if args.recipe is None else read_recipe(args)
    model = load_runnable(args)
    _check_files(args, model)
    data = load_data(args, model)
    recipe = given or recipe_of(args, model, data)
    if args.write_recipe:
        write_recipe(Path(args.write_recipe), recipe)
    with context_of(args, model, data) as context:
        outcome = _outcome(RecoveryRequest(recipe, args.split), context)
    written = None if args.output is None else _written(args, outcome)
    n_looks, findings = context.n_looks, _findings(args, outcome, data)
    if args.json:
        about = {"findings": [asdict(finding) for finding in findings], "written": written}
        printing.say_json(_json(args, context, outcome) | _counted(outcome) | about)
    else:
        printing.say(*_lines(args, context, outcome), *_remarks(findings))
        if n_looks is not None:
            printing.say("", f"This was look number {n_looks} at the locked test split of this data with this model.")
        if written is not None:
            printing.say(
                "", f"Wrote {printing.clean_terminal(written['weights'])} ({printing.bytes_counted(written['bytes'])})."
            )
    return status_of(args, findings)


def _findings(args: Arguments, outcome: RecoveryOutcome, data: Dataset) -> tuple[Finding, ...]:
    """What is to know about the recovered network, as about one that was pruned and not recovered."""
    return report(outcome.recovered.model, outcome.plan, outcome.evaluation, data=data, split=args.split).findings


def _remarks(findings: tuple[Finding, ...]) -> list[str]:
    return ["", *map(printing.finding_line, findings)] if findings else []


def _check_files(args: Arguments, model: LoadedModel) -> None:
    """Refuse before hours of work what could not be written after them."""
    if args.write_recipe:
        check_target(model, Path(args.write_recipe), ".json", force=args.force)
    if args.output:
        target = Path(args.output)
        check_target(model, target, ".safetensors", (target.with_suffix(".spec.json"),), force=args.force)


def _outcome(request: RecoveryRequest, context: Context) -> RecoveryOutcome:
    *_, last = done(request, context, "recovering")
    if not isinstance(last, RecoveryOutcome):
        raise RuntimeError("a recipe ends with what it came to")
    return last


def _counted(outcome: RecoveryOutcome) -> JsonDict:
    names = ("label", "asked", "sparsity", "compression_ratio", "theoretical_speedup", "size_bytes")
    return {name: finite(getattr(outcome.point, name)) for name in names}


def _written(args: Arguments, outcome: RecoveryOutcome) -> JsonDict:
    files = _write(args, outcome)
    return {"weights": str(files.weights), "spec": str(files.spec), "bytes": files.n_bytes}


def _write(args: Arguments, outcome: RecoveryOutcome) -> Written:
    recovered = outcome.recovered
    recipe = dict(recovered.protocol)
    return write_pruned(recovered.model, outcome.plan, Path(args.output), force=args.force, recipe=recipe)


def _json(args: Arguments, context: Context, outcome: RecoveryOutcome) -> JsonDict:
    recovered, evaluation = outcome.recovered, outcome.evaluation
    dots = {name: getattr(recovered, name) for name in ("dense", "as_pruned", "refreshed", "tuned")}
    return {
        "model": {"address": context.model.address, "digest": context.model.digest},
        "data": data_json(context.dataset),
        "split": args.split,
        "looks_at_test": context.n_looks,
        "digest": recovered.model.digest,
        "mask_digest": recovered.state.mask_digest,
        "epochs": recovered.state.epochs,
        "n_revived": recovered.n_revived,
        "tune": {name: m and asdict(m) for name, m in dots.items()},
        "metrics": {"accuracy": asdict(evaluation.accuracy), "drop": asdict(evaluation.drop)},
        "judged_by": evaluation.judged_by,
        "protocol": dict(recovered.protocol),
        "history": [progress_json(replace(p, seconds=round(p.seconds, 3))) for p in recovered.history],
    }


def _lines(args: Arguments, context: Context, outcome: RecoveryOutcome) -> list[str]:
    recovered, evaluation = outcome.recovered, outcome.evaluation
    address = printing.clean_terminal(context.model.address)
    head = f"{address} on {context.dataset.address}: {recovered.protocol['summary']}"
    rows = [
        _row(f"{name}, tune", m)
        for name, m in (
            ("dense", recovered.dense),
            ("as pruned", recovered.as_pruned),
            ("after refresh", recovered.refreshed),
            ("after training", recovered.tuned),
        )
        if m is not None
    ]
    name = "from scratch" if outcome.is_dense else "recovered"
    rows.append(_row(f"{name}, {args.split}", evaluation.accuracy))
    judged = printing.judged([outcome.point])
    rows.append((named(judged), *printing.delta(evaluation.drop)))
    return [head, "", *printing.table(("what", judged, "95 % interval"), rows), "", *_size(outcome)]


def _size(outcome: RecoveryOutcome) -> tuple[str, ...]:
    recovered, point, bits = outcome.recovered, outcome.point, outcome.bits
    fewer = f"{printing.times(point.compression_ratio)} fewer"
    size = printing.count(point.size_bytes)
    rounded = () if bits is None else (f"Weights rounded to {bits} bits: {size} B as whole numbers, counted.",)
    if outcome.is_dense:
        n_parameters = printing.count(recovered.model.n_parameters)
        return f"A dense network of {n_parameters} parameters, {fewer}.", *rounded
    audit = f"Zero audit: {recovered.n_revived} pruned weights came back. Masks {recovered.state.mask_digest}."
    return f"{printing.percent(point.sparsity)} pruned, {fewer} parameters.", *rounded, audit


def _row(name: str, m: Measurement) -> tuple[str, str, str]:
    return name, level(m), printing.interval(m)
