"""What a visitor can ask for on the recover page, as recipes: the chosen one, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

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
from explorer.tasks.recovery import RecoveryRequest
from explorer.text.numbers import percent_asked
from explorer.types import LoadedModel
from explorer.types.aliases import JsonDict

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
class RecoverySettings:
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


def chosen(settings: RecoverySettings, model: LoadedModel) -> RecoveryRequest:
    """The run that was asked for."""
    return RecoveryRequest(_RECIPES[settings.method](settings, model), label=_label(settings))


def companions(settings: RecoverySettings, model: LoadedModel) -> dict[str, Callable[[], RecoveryRequest]]:
    """Runs that say what the chosen one is worth, at equal epochs: its name on the page -> the run.

    The dense network of that size has no training behind it, so it trains as long as the open model did as well.
    """
    runs: dict[str, Callable[[], RecoveryRequest]] = {}
    if settings.method in ("iterative", "gradual", "rigl"):
        runs["one shot, equal epochs"] = lambda: chosen(replace(settings, method="one_shot"), model)
    if settings.distil:
        runs["without the teacher"] = lambda: chosen(replace(settings, distil=False), model)
    if settings.method == "lottery":
        for control, name in (("reinit", "fresh random weights"), ("shuffle_mask", "random mask, same counts")):
            runs[name] = lambda control=control, name=name: RecoveryRequest(  # type: ignore[misc]
                _ticket(settings, model, control), label=_label(settings, name)
            )
        runs["dense network of that size"] = lambda: _narrow(settings, model)
    elif settings.spec.criterion.key != Random.key:
        by_chance = replace(settings, spec=replace(settings.spec, criterion=Random(settings.seed)))
        runs["random pruning"] = lambda: chosen(by_chance, model)
    return runs


def steps_of(settings: RecoverySettings, model: LoadedModel) -> tuple[list[tuple[float, float]], float]:
    """(epoch, sparsity) at each pruning, and at which share of the epochs the last one is."""
    if settings.method in ("one_shot", "rigl"):
        return [(0.0, 0.0), (0.0, settings.sparsity)], 0.0
    if settings.method == "gradual":
        step = _gradual(settings).steps[0]
        if not isinstance(step, Gradual):
            return [], 0.0
        points = [(k - 1.0, step.sparsity_in(k)) for k in range(1, step.n_prunings + 1)]
        return [(0.0, 0.0), *points], step.n_prunings / step.epochs
    levels = sparsities("geometric", settings.rounds, settings.sparsity)
    each = n_epochs(settings, model) / settings.rounds
    return [(0.0, 0.0), *((i * each, level) for i, level in enumerate(levels))], (settings.rounds - 1) / settings.rounds


def n_epochs(settings: RecoverySettings, model: LoadedModel) -> int:
    """All epochs that the chosen run trains."""
    return (
        settings.rounds * _ticket_training(settings, model).epochs
        if settings.method == "lottery"
        else settings.tuning.epochs
    )


def with_level(spec: PruneSpec) -> PruneSpec:
    """The request of the explore page with one overall sparsity; lines of single layers give way to global pruning."""
    return spec if is_one_level(spec.allocation) else replace(spec, allocation=Global())


def _one_shot(settings: RecoverySettings, model: LoadedModel) -> Recipe:
    return recipes.one_shot(_spec(settings), _taught(settings), refresh=settings.refresh, seed=settings.seed)


def _iterative(settings: RecoverySettings, model: LoadedModel) -> Recipe:
    return recipes.iterative(
        _spec(settings), settings.rounds, _taught(settings), refresh=settings.refresh, seed=settings.seed
    )


def _gradual(settings: RecoverySettings, model: LoadedModel | None = None) -> Recipe:
    return recipes.gradual(
        _spec(settings), _taught(settings), rise=settings.rise, rising=settings.rising, seed=settings.seed
    )


def _rigl(settings: RecoverySettings, model: LoadedModel) -> Recipe:
    return recipes.dynamic(_spec(settings), _taught(settings), refresh=settings.refresh, seed=settings.seed)


def _lottery(settings: RecoverySettings, model: LoadedModel) -> Recipe:
    return _ticket(settings, model, "")


def _ticket(settings: RecoverySettings, model: LoadedModel, control: str) -> Recipe:
    training = _ticket_training(settings, model)
    return recipes.lottery_ticket(
        _spec(settings), settings.rounds, training, rewind=settings.rewind, control=control, seed=settings.seed
    )


def _ticket_training(settings: RecoverySettings, model: LoadedModel) -> Training:
    """A ticket is trained as the dense network was, from its first weights, for the epochs that were asked for."""
    return training_of(model, epochs=settings.tuning.epochs)


_RECIPES: dict[str, Callable[[RecoverySettings, LoadedModel], Recipe]] = {
    "one_shot": _one_shot,
    "iterative": _iterative,
    "gradual": _gradual,
    "rigl": _rigl,
    "lottery": _lottery,
}


def _narrow(settings: RecoverySettings, model: LoadedModel) -> RecoveryRequest:
    """A dense network as large as what pruning leaves, trained from scratch for as many epochs in all."""
    by_magnitude = replace(_spec(settings), criterion=LpNorm())  # counts without a look at data
    n_left = int(parameters(model, make_plan(model, by_magnitude))["kept"].value)
    training = training_of(model, epochs=n_epochs(settings, model), keep="best")
    n_nearest = n_parameters_of(narrower(model, n_left))
    recipe = recipes.dense_from_scratch(model, n_nearest, training, seed=settings.seed)
    label = f"dense network of {n_nearest:,} parameters, from scratch, {recipe.n_epochs} epochs"
    return RecoveryRequest(recipe, label=label)


def _spec(settings: RecoverySettings) -> PruneSpec:
    return with_sparsity(settings.spec, settings.sparsity)


def _taught(settings: RecoverySettings) -> Training:
    changes: JsonDict = {"distil_weight": 0.7 if settings.distil else 0.0}
    return replace(settings.tuning, **changes) if settings.tuning.distil_weight < 1.0 else settings.tuning


def _label(settings: RecoverySettings, name: str = "") -> str:
    """What tells runs apart comes first: legends cut long names in the middle."""
    parts = [name or METHODS[settings.method].lower(), percent_asked(settings.sparsity)]
    usual = PruneSpec()
    if (settings.spec.granularity, settings.spec.criterion) != (usual.granularity, usual.criterion):
        parts.append(f"{settings.spec.granularity.label.lower()} by {settings.spec.criterion.label.lower()}")
    rounds = settings.method in ("iterative", "lottery")
    each = f"{settings.rounds} × " if settings.method == "lottery" else ""
    parts.append(
        f"{each}{settings.tuning.epochs} epochs" + (f" in {settings.rounds} rounds" if rounds and not each else "")
    )
    if settings.method == "lottery" and settings.rewind == "early":
        parts.append("rewound to early")
    if settings.distil and settings.method != "lottery":
        parts.append("taught")
    return ", ".join(parts)
