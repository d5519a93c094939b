"""What a visitor can ask for on the recover page, as recipes: the chosen one, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from explorer.metrics.size import parameters
from explorer.pruning.allocation import Global
from explorer.pruning.criteria.lp_norm import LpNorm
from explorer.pruning.criteria.random import Random
from explorer.pruning.level import is_one_level, with_sparsity
from explorer.pruning.plan import plan as make_plan
from explorer.pruning.spec import PruneSpec
from explorer.recovery import recipes
from explorer.recovery.defaults import training_of
from explorer.recovery.narrower import n_parameters_of, narrower
from explorer.recovery.recipe import Recipe
from explorer.recovery.schedules import sparsities
from explorer.recovery.steps import Gradual
from explorer.recovery.training import Training
from explorer.types import LoadedModel

METHODS = {
    "one_shot": "One shot",
    "iterative": "Iterative",
    "gradual": "Gradual",
    "rigl": "Regrow",
    "lottery": "Lottery ticket",
}
ABOUT = {
    "one_shot": "Prune once, then train what is left.",
    "iterative": "Prune a little, train, repeat: the epochs are spread over the rounds.",
    "gradual": "Sparsity rises during one training and rests at the end.",
    "rigl": "Prune once; while training, the weakest weights go and as many come back where the gradient pulls.",
    "lottery": "Find a mask round by round, go back to the first weights, train the ticket from there.",
}


@dataclass(frozen=True)
class Asked:
    """Everything that was set on the page."""

    method: str
    spec: PruneSpec
    tuning: Training
    sparsity: float
    rounds: int
    rise: str
    rising: float
    refresh: bool
    distil: bool
    rewind: str
    seed: int = 0


@dataclass(frozen=True)
class Run:
    """One recipe with the name it has on the page."""

    label: str
    recipe: Recipe


def chosen(asked: Asked, model: LoadedModel) -> Run:
    """The run that was asked for."""
    return Run(_label(asked), _RECIPES[asked.method](asked, model))


def companions(asked: Asked, model: LoadedModel) -> dict[str, Callable[[], Run]]:
    """Runs that say what the chosen one is worth, at equal epochs: its name on the page -> the run.

    The dense network of that size has no training behind it, so it trains as long as the open model did as well.
    """
    found: dict[str, Callable[[], Run]] = {}
    if asked.method in ("iterative", "gradual", "rigl"):
        found["one shot, equal epochs"] = lambda: chosen(replace(asked, method="one_shot"), model)
    if asked.distil:
        found["without the teacher"] = lambda: chosen(replace(asked, distil=False), model)
    if asked.method == "lottery":
        for control, name in (("reinit", "fresh random weights"), ("shuffle_mask", "random mask, same counts")):
            found[name] = lambda control=control, name=name: Run(  # type: ignore[misc]
                _label(asked, name), _ticket(asked, model, control)
            )
        found["dense network of that size"] = lambda: _narrow(asked, model)
    elif asked.spec.criterion.key != Random.key:
        by_chance = replace(asked, spec=replace(asked.spec, criterion=Random(asked.seed)))
        found["random pruning"] = lambda: chosen(by_chance, model)
    return found


def steps_of(asked: Asked, model: LoadedModel) -> tuple[list[tuple[float, float]], float]:
    """(epoch, sparsity) at each pruning, and at which share of the epochs the last one is."""
    if asked.method in ("one_shot", "rigl"):
        return [(0.0, 0.0), (0.0, asked.sparsity)], 0.0
    if asked.method == "gradual":
        step = _gradual(asked).steps[0]
        if not isinstance(step, Gradual):
            return [], 0.0
        points = [(k - 1.0, step.sparsity_in(k)) for k in range(1, step.n_prunings + 1)]
        return [(0.0, 0.0), *points], step.n_prunings / step.epochs
    levels = sparsities("geometric", asked.rounds, asked.sparsity)
    each = n_epochs(asked, model) / asked.rounds
    return [(0.0, 0.0), *((i * each, level) for i, level in enumerate(levels))], (asked.rounds - 1) / asked.rounds


def n_epochs(asked: Asked, model: LoadedModel) -> int:
    """All epochs that the chosen run trains."""
    return asked.rounds * _ticket_training(asked, model).epochs if asked.method == "lottery" else asked.tuning.epochs


def with_level(spec: PruneSpec) -> PruneSpec:
    """The request of the explore page with one overall sparsity; lines of single layers give way to global pruning."""
    return spec if is_one_level(spec.allocation) else replace(spec, allocation=Global())


def _one_shot(asked: Asked, model: LoadedModel) -> Recipe:
    return recipes.one_shot(_spec(asked), _taught(asked), refresh=asked.refresh, seed=asked.seed)


def _iterative(asked: Asked, model: LoadedModel) -> Recipe:
    return recipes.iterative(_spec(asked), asked.rounds, _taught(asked), refresh=asked.refresh, seed=asked.seed)


def _gradual(asked: Asked, model: LoadedModel | None = None) -> Recipe:
    return recipes.gradual(_spec(asked), _taught(asked), rise=asked.rise, rising=asked.rising, seed=asked.seed)


def _rigl(asked: Asked, model: LoadedModel) -> Recipe:
    return recipes.dynamic(_spec(asked), _taught(asked), refresh=asked.refresh, seed=asked.seed)


def _lottery(asked: Asked, model: LoadedModel) -> Recipe:
    return _ticket(asked, model, "")


def _ticket(asked: Asked, model: LoadedModel, control: str) -> Recipe:
    training = _ticket_training(asked, model)
    return recipes.lottery_ticket(
        _spec(asked), asked.rounds, training, rewind=asked.rewind, control=control, seed=asked.seed
    )


def _ticket_training(asked: Asked, model: LoadedModel) -> Training:
    """A ticket is trained as the dense network was, from its first weights, for the epochs that were asked for."""
    return training_of(model, epochs=asked.tuning.epochs)


_RECIPES: dict[str, Callable[[Asked, LoadedModel], Recipe]] = {
    "one_shot": _one_shot,
    "iterative": _iterative,
    "gradual": _gradual,
    "rigl": _rigl,
    "lottery": _lottery,
}


def _narrow(asked: Asked, model: LoadedModel) -> Run:
    """A dense network as large as what pruning leaves, trained from scratch for as many epochs in all."""
    by_magnitude = replace(_spec(asked), criterion=LpNorm())  # counts without a look at data
    n_left = int(parameters(model, make_plan(model, by_magnitude))["kept"].value)
    training = training_of(model, epochs=n_epochs(asked, model), keep="best")
    n_nearest = n_parameters_of(narrower(model, n_left))
    recipe = recipes.dense_from_scratch(model, n_nearest, training, seed=asked.seed)
    return Run(f"dense network of {n_nearest:,} parameters, from scratch, {recipe.n_epochs} epochs", recipe)


def _spec(asked: Asked) -> PruneSpec:
    return with_sparsity(asked.spec, asked.sparsity)


def _taught(asked: Asked) -> Training:
    changes: dict[str, Any] = {"distil_weight": 0.7 if asked.distil else 0.0}
    return replace(asked.tuning, **changes) if asked.tuning.distil_weight < 1.0 else asked.tuning


def _label(asked: Asked, name: str = "") -> str:
    """What tells runs apart comes first: legends cut long names in the middle."""
    parts = [name or METHODS[asked.method].lower(), f"{100 * asked.sparsity:.0f} %"]
    usual = PruneSpec()
    if (asked.spec.granularity, asked.spec.criterion) != (usual.granularity, usual.criterion):
        parts.append(f"{asked.spec.granularity.label.lower()} by {asked.spec.criterion.label.lower()}")
    rounds = asked.method in ("iterative", "lottery")
    each = f"{asked.rounds} × " if asked.method == "lottery" else ""
    parts.append(f"{each}{asked.tuning.epochs} epochs" + (f" in {asked.rounds} rounds" if rounds and not each else ""))
    if asked.method == "lottery" and asked.rewind == "early":
        parts.append("rewound to early")
    if asked.distil and asked.method != "lottery":
        parts.append("taught")
    return ", ".join(parts)
