"""``recover``: prune and heal by a recipe, and measure what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.cli import printing
from explorer.cli.arguments import Arguments, Parser, add_common, add_data, add_model, load_data, load_model, whole
from explorer.cli.keeping import add_keeping, kept
from explorer.cli.request import add_request, prune_spec, share
from explorer.cli.scanning import with_curves
from explorer.errors import ExplorerError
from explorer.recovery.schedules import SPARSITY_SCHEDULES

if TYPE_CHECKING:
    from explorer.recovery.recipe import Recipe
    from explorer.recovery.state import Recovered
    from explorer.recovery.training import Training
    from explorer.types import Dataset, Evaluation, LoadedModel, Measurement

NAME = "recover"
HELP = "Prune a model, heal it by a recipe (refresh, fine-tuning, rewinding, ...) and measure it."
SCHEDULES = ("one_shot", "iterative", "gradual", "rigl", "lottery")
_BIGGEST_RECIPE = 10_000_000
# Flags that make a recipe, which --recipe replaces.
_MAKING: tuple[str, ...] = (
    *("granularity", "criterion", "allocation", "sparsity", "threshold", "spec"),
    *("schedule", "rounds", "epochs", "lr", "optimiser", "distil", "rise", "rising", "rewind", "control"),
)


def add_arguments(parser: Parser) -> None:
    """The flags of this command."""
    add_model(parser)
    parser.add_argument("-o", "--output", metavar="OUT.safetensors", help="write the recovered network")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")
    group = parser.add_argument_group("how to heal")
    group.add_argument("--recipe", metavar="FILE", help="a recipe as JSON instead of these flags")
    group.add_argument("--write-recipe", metavar="FILE", help="write the recipe as JSON")
    group.add_argument("--schedule", choices=SCHEDULES, help="when to prune (default: one_shot)")
    group.add_argument("--rounds", type=whole, metavar="N", help="of iterative and lottery (default: 4)")
    group.add_argument("--epochs", type=whole, metavar="N", help="in total; of lottery, in each round (default: 20)")
    group.add_argument("--lr", type=float, metavar="X", help="learning rate (default: what suits the model)")
    group.add_argument("--optimiser", choices=("adamw", "sgd"), help="default: adamw")
    group.add_argument("--no-refresh", action="store_true", help="leave the batch-norm statistics as they are")
    group.add_argument("--distil", metavar="T,W", help="the dense model teaches: temperature and weight, e.g. 4,0.7")
    group.add_argument("--rise", choices=SPARSITY_SCHEDULES, help="of gradual: how sparsity rises (default: cubic)")
    group.add_argument("--rising", type=share, metavar="S", help="of gradual: share of its epochs (default: 0.6)")
    group.add_argument("--rewind", choices=("init", "early"), help="of lottery (default: init)")
    group.add_argument("--control", choices=("reinit", "shuffle_mask"), help="of lottery: what it must beat")
    group.add_argument("--checkpoints", metavar="DIR", help="keep each epoch there; a killed run goes on from it")
    group.add_argument(
        "--split", choices=("tune", "test"), default="tune", help="for the verdict; each look at test is counted"
    )
    add_request(parser)
    add_data(parser)
    add_keeping(parser)
    add_common(parser)


def run(args: Arguments) -> int:
    """Recover, measure, keep, and write."""
    recipe_file = None if args.recipe is None else _read(args)
    model = load_model(args)
    data = load_data(args, model)
    recipe = recipe_file or made(args, model, data)
    if args.write_recipe:
        _write_recipe(Path(args.write_recipe), recipe)
    if args.output:
        _check_output(args)
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


def made(args: Arguments, model: LoadedModel, data: Dataset) -> Recipe:
    """The recipe that the flags say."""
    from explorer.recovery import recipes
    from explorer.recovery.defaults import training_of
    from explorer.recovery.steps.refresh import has_batch_norm

    spec = with_curves(args, model, prune_spec(args))
    schedule, rounds = args.schedule or "one_shot", 4 if args.rounds is None else args.rounds
    if schedule not in ("iterative", "lottery") and args.rounds is not None:
        raise ExplorerError(f"--rounds does not go with {schedule}.", fix="Use --schedule iterative or lottery.")
    if schedule != "lottery" and (args.rewind or args.control):
        raise ExplorerError("--rewind and --control are of tickets.", fix="Add --schedule lottery.")
    if schedule != "gradual" and (args.rise or args.rising is not None):
        raise ExplorerError("--rise and --rising are of one training.", fix="Add --schedule gradual.")
    refresh = not args.no_refresh and has_batch_norm(model)
    if schedule == "lottery":
        training = _changed(args, training_of(model, keep="best"))
        ways = {"rewind": args.rewind or "init", "control": args.control or "", "seed": args.seed}
        return recipes.lottery_ticket(spec, rounds, training, **ways)
    tuning = _changed(args, recipes.tuning_for(model, data))
    if schedule == "iterative":
        return recipes.iterative(spec, rounds, tuning, refresh=refresh, seed=args.seed)
    if schedule == "rigl":
        return recipes.dynamic(spec, tuning, refresh=refresh, seed=args.seed)
    if schedule == "gradual":
        ways = {"rise": args.rise, "rising": args.rising}
        said = {name: value for name, value in ways.items() if value is not None}
        return recipes.gradual(spec, tuning, **said, seed=args.seed)
    return recipes.one_shot(spec, tuning, refresh=refresh, seed=args.seed)


def _changed(args: Arguments, training: Training) -> Training:
    """The settings with what the flags say, checked like those of a file."""
    from explorer.params import member_to_json
    from explorer.recovery.steps import STEPS, Finetune

    said = {"epochs": args.epochs, "learning_rate": args.lr, "optimiser": args.optimiser}
    said |= _distil(args.distil)
    values = {**asdict(training), **{name: value for name, value in said.items() if value is not None}}
    checked = STEPS.from_json({"key": "finetune", **values})
    if not isinstance(checked, Finetune):
        raise ExplorerError(f"{member_to_json(checked)} is no training.", fix="Check the flags.")
    return checked


def _distil(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    try:
        temperature, weight = (float(part) for part in text.split(","))
    except ValueError:
        what = f"--distil {text!r} is not TEMPERATURE,WEIGHT."
        raise ExplorerError(what, fix="Write --distil 4,0.7.") from None
    return {"temperature": temperature, "distil_weight": weight}


def _read(args: Arguments) -> Recipe:
    from explorer.recovery.recipe import Recipe

    given = next((name for name in _MAKING if getattr(args, name, None) is not None), None)
    if given is not None or args.no_refresh:
        flag = "--no-refresh" if given is None else f"--{given}"
        raise ExplorerError("--recipe already says it all.", fix=f"Leave out {flag}, or leave out --recipe.")
    path = Path(args.recipe)
    try:
        if not path.is_file() or path.stat().st_size > _BIGGEST_RECIPE:
            raise ExplorerError(f"{path} is no recipe.", fix="Give --recipe a file that --write-recipe wrote.")
        return Recipe.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ExplorerError(f"{path} could not be read as text.", fix="Give --recipe another file.") from None


def _write_recipe(path: Path, recipe: Recipe) -> None:
    from explorer.store.atomic import write_text

    write_text(path, json.dumps(recipe.to_json(), indent=1) + "\n")


def _check_output(args: Arguments) -> None:
    """Refuse before hours of work what could not be written after them."""
    target = Path(args.output)
    if target.suffix != ".safetensors":
        raise ExplorerError(f"{target} does not end in .safetensors.", fix=f"Write to {target.stem}.safetensors.")
    if not target.parent.is_dir():
        raise ExplorerError(f"There is no folder {target.parent}.", fix="Create it first.")
    there = next((p for p in (target, target.with_suffix(".spec.json")) if p.exists()), None)
    if there is not None and not args.force:
        raise ExplorerError(f"{there} is there already.", fix="Give another name, or --force to replace it.")


def _recovered(args: Arguments, model: LoadedModel, data: Dataset, recipe: Recipe) -> Recovered:
    from explorer.recovery.recipe import recover

    found: Recovered | None = None
    with printing.Progress("recovering") as progress:
        for p in recover(model, recipe, data, checkpoints=args.checkpoints, device=args.device):
            where = f"step {min(p.index + 1, p.n_steps)} of {p.n_steps}, {p.key}"
            epoch = f", epoch {p.epoch} of {p.n_epochs}" if p.epoch else ""
            accuracy = f": {printing.percent(p.accuracy.value)} on tune" if p.accuracy is not None else ""
            progress.show(f"{where}{epoch}{accuracy}")
            found = p.recovered or found
    if found is None:
        raise ExplorerError("The recipe did not end.", fix="Try again.")
    return found


def _verdict(args: Arguments, model: LoadedModel, data: Dataset, found: Recovered) -> tuple[Evaluation, int | None]:
    from explorer.analysis.given import split_of
    from explorer.engine.evaluator import Evaluator
    from explorer.recovery.state import measured
    from explorer.store.looks import count_look

    split = split_of(data, args.split)
    n_looks = count_look(model.digest, data.digest, args.data_dir) if args.split == "test" else None
    return measured(found.state, split, Evaluator(model, split, device=args.device)), n_looks


def _kept(
    args: Arguments, model: LoadedModel, data: Dataset, found: Recovered, evaluation: Evaluation
) -> dict[str, Any]:
    """Keep the point with its protocol, and give what is counted about it."""
    from explorer.analysis.report import finite
    from explorer.analysis.tradeoff import point
    from explorer.metrics.macs import mac_table, why_no_macs
    from explorer.pruning.plan import plan as make_plan
    from explorer.pruning.spec import PruneSpec

    plan = found.plan or make_plan(found.model, PruneSpec())
    table = None if why_no_macs(model) else mac_table(model)
    spec = PruneSpec.from_json(plan.spec)
    made = point(found.model, spec, plan, evaluation, table, protocol=found.protocol)
    list(kept(args, model, data, [made], split=args.split, kind=NAME))
    names = ("label", "asked", "sparsity", "compression_ratio", "theoretical_speedup", "size_bytes")
    return {name: finite(getattr(made, name)) for name in names}


def _written(args: Arguments, found: Recovered) -> dict[str, Any]:
    from explorer.export.weights import write_pruned
    from explorer.pruning.plan import plan as make_plan
    from explorer.pruning.spec import PruneSpec

    plan = found.plan or make_plan(found.model, PruneSpec())
    files = write_pruned(found.model, plan, Path(args.output), force=args.force)
    return {"weights": str(files.weights), "spec": str(files.spec), "bytes": files.n_bytes}


def _json(
    args: Arguments,
    model: LoadedModel,
    data: Dataset,
    found: Recovered,
    evaluation: Evaluation,
    n_looks: int | None,
) -> dict[str, Any]:
    from explorer.analysis.report import data_json
    from explorer.recovery.checkpoints import progress_json

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
    rows.append(_row(f"recovered, {args.split}", evaluation.accuracy))
    drop = f"{printing.points(evaluation.drop.value)} points"
    rows.append(("drop against dense", drop, printing.interval(evaluation.drop, signed=True)))
    ratio = counted["compression_ratio"]
    size = f"{printing.percent(counted['sparsity'])} pruned, {printing.times(ratio or float('inf'))} fewer parameters"
    audit = f"Zero audit: {found.n_revived} pruned weights came back. Masks {found.state.mask_digest}."
    return [head, "", *printing.table(("what", "accuracy", "95 % interval"), rows), "", f"{size}.", audit]


def _row(name: str, m: Measurement) -> tuple[str, str, str]:
    return name, printing.percent(m.value), printing.interval(m)
