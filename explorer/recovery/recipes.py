"""Recipes that people ask for by name: one shot, iterative, gradual, lottery tickets and their controls.

Examples:
    >>> import explorer as ex
    >>> tuning = ex.recipes.tuning_for(ex.load("digits-mlp"), epochs=6)
    >>> recipe = ex.recipes.iterative(ex.PruneSpec(allocation="global:sparsity=0.9"), 3, tuning)
    >>> [step.key for step in recipe.steps].count("prune")
    3
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from explorer.errors import ExplorerError
from explorer.pruning.level import sparsity_of, with_sparsity
from explorer.pruning.spec import PruneSpec
from explorer.recovery.defaults import training_of
from explorer.recovery.narrower import n_parameters_of, narrower
from explorer.recovery.recipe import Recipe
from explorer.recovery.schedules import sparsities
from explorer.recovery.steps import Finetune, Gradual, Narrow, Prune, Refresh, Reinit, Rewind, Rigl, ShuffleMask, Step
from explorer.recovery.training import Training
from explorer.types import Dataset, LoadedModel
from explorer.types.aliases import JsonObject

# Chosen on the tune splits of bundled samples at 10x, of 0.1 to 4 times the rate that they were trained with:
# twice as high recovers the vision transformer, the recurrent network and the perceptron better within 20 epochs.
_RATE = 2.0


def tuning_for(model: LoadedModel, data: Dataset | None = None, **changes: Any) -> Finetune:
    """Fine-tuning that recovers this model well: as it was trained, for 20 epochs, the best one on tune kept.

    What ``data`` cannot give is left out, as :func:`explorer.recovery.defaults.training_of` says.
    """
    training = training_of(model, data)
    rate = training.learning_rate * (_RATE if model.meta.get("training") else 1.0)
    settings = replace(training, epochs=20, learning_rate=round(rate, 8), keep="best")
    return replace(Finetune(**asdict(settings)), **changes)


def one_shot(spec: PruneSpec, tuning: Training, *, refresh: bool = True, seed: int = 0) -> Recipe:
    """Prune once, refresh the batch norm, fine-tune for all the epochs of ``tuning``."""
    return Recipe((Prune(spec), *_refresh(refresh), _finetune(tuning)), seed)


def iterative(spec: PruneSpec, rounds: int, tuning: Training, *, refresh: bool = True, seed: int = 0) -> Recipe:
    """Prune and tune ``rounds`` times; each time the same share of what is left goes.

    ``tuning.epochs`` are those of all rounds together, spread as evenly as whole epochs allow, the longer rounds
    last: so it costs as many as one shot does.

    Source: Han et al. 2015, arXiv:1506.02626, section 3.2 (iterative pruning).
    """
    if not 1 <= rounds <= tuning.epochs:
        what = f"{tuning.epochs} epochs cannot be spread over {rounds} rounds."
        raise ExplorerError(what, why="Each round trains at least one.", fix="Give fewer rounds or more epochs.")
    steps: list[Step] = []
    for i, level in enumerate(sparsities("geometric", rounds, sparsity_of(spec))):
        epochs = (i + 1) * tuning.epochs // rounds - i * tuning.epochs // rounds
        steps += [Prune(with_sparsity(spec, level)), *_refresh(refresh), _finetune(tuning, epochs=epochs)]
    return Recipe(tuple(steps), seed)


def gradual(spec: PruneSpec, tuning: Training, *, rise: str = "cubic", rising: float = 0.6, seed: int = 0) -> Recipe:
    """One training during which sparsity rises: fast at first under ``cubic``.

    Source: Zhu & Gupta 2017, arXiv:1710.01878.
    """
    return Recipe((Gradual(**_values(tuning), spec=spec, rise=rise, rising=rising),), seed)


def dynamic(
    spec: PruneSpec, tuning: Training, *, from_scratch: bool = False, refresh: bool = True, seed: int = 0
) -> Recipe:
    """Prune once, then train while the mask moves; ``from_scratch`` on fresh random weights, as the paper does.

    Source: Evci et al. 2020, arXiv:1911.11134 (RigL).
    """
    begin: tuple[Step, ...] = (Reinit(),) if from_scratch else _refresh(refresh)
    return Recipe((Prune(spec), *begin, Rigl(**_values(tuning))), seed)


def distilled(
    spec: PruneSpec,
    tuning: Training,
    *,
    temperature: float = 4.0,
    weight: float = 0.7,
    refresh: bool = True,
    seed: int = 0,
) -> Recipe:
    """One shot, with the dense model as the teacher of the fine-tuning.

    Source: Hinton et al. 2015, arXiv:1503.02531.
    """
    return one_shot(spec, replace(tuning, temperature=temperature, distil_weight=weight), refresh=refresh, seed=seed)


def lottery_ticket(
    spec: PruneSpec,
    rounds: int,
    training: Training,
    *,
    rewind: str = "init",
    epochs_early: int = 1,
    control: str = "",
    seed: int = 0,
) -> Recipe:
    """Iterative magnitude pruning with rewinding: find a mask, go back, train the ticket in full.

    Round by round the trained network is pruned, its weights go back (``rewind``: "init" or "early", after
    ``epochs_early`` epochs) and ``training`` is done again, which should be that of the dense network
    (``training_of``). ``control`` replaces what the last round begins from: "reinit" (the same mask on fresh random
    weights) or "shuffle_mask" (a random mask with the same count in each layer, on the rewound weights). The third
    control, a dense network of the same size, is :func:`dense_from_scratch`.

    Source: Frankle & Carbin 2019, arXiv:1803.03635; early: Frankle et al. 2020, arXiv:1912.05671.
    """
    if control not in ("", "reinit", "shuffle_mask"):
        raise ExplorerError(f"There is no control {control!r}.", fix="Choose reinit or shuffle_mask.")
    if rounds < 1:
        raise ExplorerError("A ticket needs at least one round.", fix="Give rounds=1 or more.")
    back = Rewind(rewind, epochs_early)
    steps: list[Step] = []
    for i, level in enumerate(sparsities("geometric", rounds, sparsity_of(spec))):
        steps.append(Prune(with_sparsity(spec, level)))
        last = i == rounds - 1
        if last and control == "shuffle_mask":
            steps.append(ShuffleMask())
        steps += [Reinit() if last and control == "reinit" else back, _finetune(training)]
    return Recipe(tuple(steps), seed)


def dense_from_scratch(model: LoadedModel, n_parameters: int, training: Training, *, seed: int = 0) -> Recipe:
    """A dense network of about ``n_parameters`` (as many as pruning leaves), trained from random weights: a control.

    ``training.epochs`` are those of what it is compared with. Since that began from the trained network, the epochs
    of ``model``'s own training are added, where they are known. Raises ExplorerError for an architecture that
    cannot be made narrower.

    Source: Liu et al. 2019, arXiv:1810.05270 (the same budget from scratch).
    """
    n_nearest = n_parameters_of(narrower(model, n_parameters))
    n_before = int((model.meta.get("training") or {}).get("epochs", 0))
    return Recipe((Narrow(n_nearest), _finetune(training, epochs=n_before + training.epochs)), seed)


def _finetune(training: Training, **changes: object) -> Finetune:
    return Finetune(**{**_values(training), **changes})


def _values(training: Training) -> JsonObject:
    return {name: getattr(training, name) for name in Training.__dataclass_fields__}


def _refresh(is_asked: bool) -> tuple[Step, ...]:
    return (Refresh(),) if is_asked else ()
