"""``recover``: prune and recover by a recipe, and measure what came of it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.analysis.report import data_json, finite
from explorer.analysis.tradeoff import point
from explorer.cli import printing
from explorer.cli.arguments import Arguments
from explorer.cli.flags.recover import NAME
from explorer.cli.run.loading import load_data, load_runnable
from explorer.cli.run.recipe import read_recipe, recipe_of, write_recipe
from explorer.cli.run.recording import kept
from explorer.data.given import split_of
from explorer.engine.evaluator import Evaluator
from explorer.export.files import check_target
from explorer.export.weights import write_pruned
from explorer.metrics.macs import mac_table, why_no_macs
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery.checkpoints import progress_json
from explorer.recovery.quantized_size import smallest
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered, measured
from explorer.store.looks import count_look
from explorer.types import Dataset, Evaluation, LoadedModel, Measurement, Plan, TradeOffPoint


def run(args: Arguments) -> int:
    """Recover, measure, keep, and write."""
    given = None if args.recipe is None else read_recipe(args)
    model = load_runnable(args)
    _check_files(args, model)
    data = load_data(args, model)
    recipe = given or recipe_of(args, model, data)
    if args.write_recipe:
        write_recipe(Path(args.write_recipe), recipe)
    found = _recovered(args, model, data, recipe)
    evaluation, n_looks = _verdict(args, model, data, found)
    counted = _kept(args, model, data, found, evaluation)
    written = None if args.output is None else _written(args, found)
    if args.json:
        printing.say_json(_json(args, model, data, found, evaluation, n_looks) | counted | {"written": written})
    else:
        printing.say(*_lines(args, model, data, found, evaluation, counted))
        if n_looks is not None:
            printing.say("", f"This was look number {n_looks} at the locked test split of this data with this model.")
        if written is not None:
            printing.say("", f"Wrote {printing.plain(written['weights'])} ({printing.count(written['bytes'])} B).")
    return 0


def _check_files(args: Arguments, model: LoadedModel) -> None:
    """Refuse before hours of work what could not be written after them."""
    if args.write_recipe:
        check_target(model, Path(args.write_recipe), ".json", force=args.force)
    if args.output:
        target = Path(args.output)
        check_target(model, target, ".safetensors", (target.with_suffix(".spec.json"),), force=args.force)


def _recovered(args: Arguments, model: LoadedModel, data: Dataset, recipe: Recipe) -> Recovered:
    found: Recovered | None = None
    with printing.Progress("recovering") as progress:
        for p in recover(model, recipe, data, checkpoints=args.checkpoints, device=args.device):
            where = f"step {min(p.index + 1, p.n_steps)} of {p.n_steps}, {p.key}"
            epoch = f", epoch {p.epoch} of {p.n_epochs}" if p.epoch else ""
            accuracy = f": {printing.percent(p.accuracy.value)} on tune" if p.accuracy is not None else ""
            progress.show(f"{where}{epoch}{accuracy}")
            found = p.recovered or found
    if found is None:
        raise RuntimeError("a recipe ends with what it came to")
    return found


def _verdict(args: Arguments, model: LoadedModel, data: Dataset, found: Recovered) -> tuple[Evaluation, int | None]:
    split = split_of(data, args.split)
    n_looks = count_look(model.digest, data.digest, args.data_dir) if args.split == "test" else None
    return measured(found.state, split, Evaluator(model, split, device=args.device)), n_looks


def _kept(
    args: Arguments, model: LoadedModel, data: Dataset, found: Recovered, evaluation: Evaluation
) -> dict[str, Any]:
    """Keep the point with its protocol, and give what is counted about it."""
    made = _dense_point(model, found, evaluation) if _is_dense(found) else _point(model, found, evaluation)
    list(kept(args, model, data, [made], split=args.split, kind=NAME))
    names = ("label", "asked", "sparsity", "compression_ratio", "theoretical_speedup", "size_bytes")
    return {name: finite(getattr(made, name)) for name in names}


def _is_dense(found: Recovered) -> bool:
    """Whether it is a narrower network, trained from scratch, and not the model itself."""
    return bool(found.protocol["recipe"]["steps"][0]["key"] == "narrow")


def _bits(found: Recovered) -> int | None:
    """To how many bits its weights are rounded; None where they are not, or training has moved them since."""
    last = found.protocol["recipe"]["steps"][-1]
    return last["bits"] if last["key"] == "quantize" else None


def _point(model: LoadedModel, found: Recovered, evaluation: Evaluation) -> TradeOffPoint:
    plan, table = _plan(found), None if why_no_macs(model) else mac_table(model)
    made = point(found.model, PruneSpec.from_json(plan.spec), plan, evaluation, table, protocol=found.protocol)
    bits = _bits(found)
    return made if bits is None else replace(made, size_bytes=int(smallest(found.model, plan, bits).value))


def _dense_point(model: LoadedModel, found: Recovered, evaluation: Evaluation) -> TradeOffPoint:
    """A network of its own, of which nothing is pruned: size and speed are against those of ``model``."""
    n_left, n_epochs, bits = found.model.n_parameters, found.state.epochs, _bits(found)
    rounded = "" if bits is None else f", {bits} bits"
    return replace(
        _point(found.model, found, evaluation),
        label=f"dense network of {n_left:,} parameters, from scratch, {n_epochs} epochs{rounded}",
        compression_ratio=model.n_parameters / n_left,
        theoretical_speedup=mac_table(model).dense / mac_table(found.model).dense,
    )


def _plan(found: Recovered) -> Plan:
    """Its masks; of a network that nothing was pruned of, the plan that cuts nothing."""
    return make_plan(found.model, PruneSpec()) if found.plan is None else found.plan


def _written(args: Arguments, found: Recovered) -> dict[str, Any]:
    files = write_pruned(found.model, _plan(found), Path(args.output), force=args.force)
    return {"weights": str(files.weights), "spec": str(files.spec), "bytes": files.n_bytes}


def _json(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    found: Recovered,
    evaluation: Evaluation,
    n_looks: int | None,
) -> dict[str, Any]:
    dots = {name: getattr(found, name) for name in ("dense", "as_pruned", "refreshed", "tuned")}
    return {
        "model": {"address": model.address, "digest": model.digest},
        "data": data_json(data),
        "split": args.split,
        "looks_at_test": n_looks,
        "digest": found.model.digest,
        "mask_digest": found.state.mask_digest,
        "epochs": found.state.epochs,
        "n_revived": found.n_revived,
        "tune": {name: m and asdict(m) for name, m in dots.items()},
        "metrics": {"accuracy": asdict(evaluation.accuracy), "drop": asdict(evaluation.drop)},
        "judged_by": evaluation.judged_by,
        "protocol": dict(found.protocol),
        "history": [progress_json(replace(p, seconds=round(p.seconds, 3))) for p in found.history],
    }


def _lines(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    found: Recovered,
    evaluation: Evaluation,
    counted: dict[str, Any],
) -> list[str]:
    head = f"{printing.plain(model.address)} on {data.address}: {found.protocol['summary']}"
    rows = [
        _row(f"{name}, tune", m)
        for name, m in (
            ("dense", found.dense),
            ("as pruned", found.as_pruned),
            ("after refresh", found.refreshed),
            ("after training", found.tuned),
        )
        if m is not None
    ]
    name = "from scratch" if _is_dense(found) else "recovered"
    rows.append(_row(f"{name}, {args.split}", evaluation.accuracy))
    drop = f"{printing.points(evaluation.drop.value)} points"
    rows.append(("drop against dense", drop, printing.interval(evaluation.drop, signed=True)))
    return [head, "", *printing.table(("what", "accuracy", "95 % interval"), rows), "", *_size(found, counted)]


def _size(found: Recovered, counted: dict[str, Any]) -> tuple[str, ...]:
    fewer = f"{printing.times(counted['compression_ratio'] or float('inf'))} fewer"
    bits, size = _bits(found), printing.count(counted["size_bytes"])
    rounded = () if bits is None else (f"Weights rounded to {bits} bits: {size} B as whole numbers, counted.",)
    if _is_dense(found):
        return f"A dense network of {printing.count(found.model.n_parameters)} parameters, {fewer}.", *rounded
    audit = f"Zero audit: {found.n_revived} pruned weights came back. Masks {found.state.mask_digest}."
    return f"{printing.percent(counted['sparsity'])} pruned, {fewer} parameters.", *rounded, audit


def _row(name: str, m: Measurement) -> tuple[str, str, str]:
    return name, printing.percent(m.value), printing.interval(m)
