"""The flags that say how to recover, and the Recipe they become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from explorer.cli.arguments import Arguments
from explorer.cli.flags.recipe import OF_TICKETS, TRAINING
from explorer.cli.run.request import prune_spec
from explorer.cli.run.scanning import with_curves
from explorer.errors import ExplorerError
from explorer.metrics.size import parameters
from explorer.params import numerals
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery import recipes
from explorer.recovery.defaults import training_of
from explorer.recovery.recipe import Recipe
from explorer.recovery.steps import STEPS, Finetune
from explorer.recovery.steps.refresh import has_batch_norm
from explorer.recovery.training import Training
from explorer.store.atomic import write_text
from explorer.types import Dataset, LoadedModel

_BIGGEST_RECIPE = 10_000_000


# Flags that make a recipe, which --recipe replaces.
_MAKING: tuple[str, ...] = (
    *("granularity", "criterion", "allocation", "sparsity", "threshold", "spec", "lock", "unlock", "floor", "cap"),
    *("schedule", "rounds", *TRAINING.values(), "distil", "rise", "rising", "rewind", "control", "bits"),
)


def recipe_of(args: Arguments, model: LoadedModel, data: Dataset) -> Recipe:
    """The recipe that the flags say."""
    _check(args)
    if args.first_weights:
        raise ExplorerError("--first-weights is of a recipe from a file.", fix="Add --recipe FILE.")
    rounding = () if args.bits is None else (STEPS.from_json({"key": "quantize", "bits": args.bits}),)
    spec = with_curves(args, model, prune_spec(args))
    refresh = not args.no_refresh and has_batch_norm(model)
    recipe = _scheduled(args, model, data, spec, refresh)
    if args.control == "dense":
        recipe = _dense(args, model, data, spec, recipe.n_epochs)
    return replace(recipe, steps=(*recipe.steps, *rounding))


def _check(args: Arguments) -> None:
    """Flags that belong to other schedules than the one that was asked for."""
    schedule = args.schedule or "one_shot"
    if schedule not in ("iterative", "lottery") and args.rounds is not None:
        raise ExplorerError(f"--rounds does not go with {schedule}.", fix="Use --schedule iterative or lottery.")
    flag = f"--control {args.control}" if args.control in OF_TICKETS else "--rewind" if args.rewind else ""
    if schedule != "lottery" and flag:
        raise ExplorerError(f"{flag} is of tickets.", fix="Add --schedule lottery.")
    if schedule in ("gradual", "lottery") and args.no_refresh:
        raise ExplorerError(f"{schedule} refreshes nothing.", fix="Leave out --no-refresh.")
    if schedule != "gradual" and (args.rise or args.rising is not None):
        raise ExplorerError("--rise and --rising are of one training.", fix="Add --schedule gradual.")


def _scheduled(args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec, refresh: bool) -> Recipe:
    schedule, rounds = args.schedule or "one_shot", 4 if args.rounds is None else args.rounds
    if schedule == "lottery":
        training = _changed(args, training_of(model, data, keep="best"))
        control = args.control if args.control in OF_TICKETS else ""
        ways = {"rewind": args.rewind or "init", "control": control, "seed": args.seed}
        return recipes.lottery_ticket(spec, rounds, training, **ways)
    tuning = _changed(args, recipes.tuning_for(model, data))
    if schedule == "iterative":
        return recipes.iterative(spec, rounds, tuning, refresh=refresh, seed=args.seed)
    if schedule == "rigl":
        return recipes.dynamic(spec, tuning, refresh=refresh, seed=args.seed)
    if schedule == "gradual":
        ways = {"rise": args.rise, "rising": args.rising}
        changes = {name: value for name, value in ways.items() if value is not None}
        return recipes.gradual(spec, tuning, **changes, seed=args.seed)
    return recipes.one_shot(spec, tuning, refresh=refresh, seed=args.seed)


def _dense(args: Arguments, model: LoadedModel, data: Dataset, spec: PruneSpec, n_epochs: int) -> Recipe:
    """A dense network with as many parameters as ``spec`` leaves, trained as the model was, for as many epochs."""
    n_left = int(parameters(model, make_plan(model, spec, data=data))["kept"].value)
    training = replace(_changed(args, training_of(model, data, keep="best")), epochs=n_epochs)
    return recipes.dense_from_scratch(model, n_left, training, seed=args.seed)


def _changed(args: Arguments, training: Training) -> Finetune:
    """The settings with what the flags say, checked like those of a file."""
    changes = {name: value for name, flag in TRAINING.items() if (value := getattr(args, flag)) is not None}
    values = {**asdict(training), **changes, **_distil(args.distil, changes)}
    checked: Any = STEPS.from_json({"key": "finetune", **values})
    settings: Finetune = checked
    return settings


def _distil(text: str | None, changes: Mapping[str, object]) -> dict[str, float]:
    if text is None:
        return {}
    if {"temperature", "distil_weight"} & changes.keys():
        what = "--distil already says temperature and weight."
        raise ExplorerError(what, fix="Leave out --distil, or the flags of each.")
    try:
        temperature, weight = (numerals.real(part) for part in text.split(","))
    except ValueError:
        what = f"--distil {text!r} is not TEMPERATURE,WEIGHT."
        raise ExplorerError(what, fix="Write --distil 4,0.7.") from None
    return {"temperature": temperature, "distil_weight": weight}


def read_recipe(args: Arguments) -> Recipe:
    """The recipe in the file that --recipe names."""
    given = next((name for name in _MAKING if getattr(args, name) not in (None, [])), None)
    if given is not None or args.no_refresh:
        flag = "--no-refresh" if given is None else f"--{given.replace('_', '-')}"
        raise ExplorerError("--recipe already says it all.", fix=f"Leave out {flag}, or leave out --recipe.")
    return recipe_at(args.recipe, args.first_weights or "")


def recipe_at(place: str, first_weights: str = "") -> Recipe:
    """The recipe in a file, or the one that the text itself is."""
    if place.lstrip().startswith("{"):
        return Recipe.foreign(place, first_weights)
    path = Path(place)
    try:
        if not path.is_file() or path.stat().st_size > _BIGGEST_RECIPE:
            raise ExplorerError(f"{path} is no recipe.", fix="Give --recipe a file that --write-recipe wrote.")
        return Recipe.foreign(path.read_text(encoding="utf-8"), first_weights)
    except (OSError, UnicodeDecodeError):
        raise ExplorerError(f"{path} could not be read as text.", fix="Give --recipe another file.") from None


def write_recipe(path: Path, recipe: Recipe) -> None:
    """Write the recipe as JSON, whole or not at all."""
    write_text(path, json.dumps(recipe.to_json(), indent=1) + "\n")
