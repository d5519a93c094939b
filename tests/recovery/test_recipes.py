"""Recipes by name are what their papers describe, at equal budgets."""

from __future__ import annotations

from dataclasses import replace

import pytest

import explorer as ex
from explorer.errors import ExplorerError
from explorer.pruning.level import sparsity_of
from explorer.recovery.defaults import training_of
from explorer.recovery.narrower import n_parameters_of, narrower
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.recipes import (
    dense_from_scratch,
    distilled,
    gradual,
    iterative,
    lottery_ticket,
    one_shot,
    tuning_for,
)
from explorer.recovery.state import Recovered
from explorer.recovery.steps import Finetune, Gradual, Narrow, Prune, Reinit, Rewind, ShuffleMask, Step
from explorer.recovery.training import Training
from explorer.types import Dataset, LoadedModel
from tests.recovery.tiny import flowers, half, two

FEW = Training(epochs=7, batch_size=128, learning_rate=4e-3)


def ended(model: LoadedModel, recipe: Recipe, data: Dataset) -> Recovered:
    *_, last = recover(model, recipe, data)
    assert last.recovered is not None
    return last.recovered


def levels(recipe: Recipe) -> list[float]:
    return [sparsity_of(step.spec) for step in recipe.steps if isinstance(step, Prune)]


@pytest.mark.parametrize("rounds", [1, 2, 3, 5, 7])
def test_one_shot_and_iterative_train_for_equally_many_epochs(rounds: int) -> None:
    once, often = one_shot(half(0.9), FEW), iterative(half(0.9), rounds, FEW)
    assert once.n_epochs == often.n_epochs == gradual(half(0.9), FEW).n_epochs == 7
    epochs = [step.epochs for step in often.steps if isinstance(step, Finetune)]
    assert len(epochs) == rounds
    assert max(epochs) - min(epochs) <= 1
    assert levels(often)[-1] == 0.9


def test_more_rounds_than_epochs_are_refused() -> None:
    with pytest.raises(ExplorerError, match="cannot be spread"):
        iterative(half(0.9), 8, FEW)


def test_each_round_takes_the_same_share_of_what_is_left() -> None:
    assert levels(iterative(half(0.984375), 3, FEW)) == pytest.approx([0.75, 0.9375, 0.984375])


def test_an_allocation_without_an_overall_level_cannot_rise() -> None:
    spec = ex.PruneSpec("weight", "lp_norm", "threshold:value=0.1")  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="no overall sparsity"):
        iterative(spec, 2, FEW)
    refusal = gradual(spec, FEW).steps[0].why_not(two(), flowers())
    assert refusal is not None
    assert one_shot(spec, FEW).n_epochs == 7


def test_a_gradual_recipe_is_one_training_with_the_cubic() -> None:
    (step,) = gradual(half(0.9), replace(FEW, epochs=10)).steps
    assert isinstance(step, Gradual)
    assert (step.rise, step.epochs, step.learning_rate) == ("cubic", 10, 4e-3)
    assert step.sparsity_in(3) == pytest.approx(0.9 * (1 - 0.5**3))


def test_a_distilled_recipe_is_one_shot_with_a_teacher() -> None:
    recipe = distilled(half(0.9), FEW, temperature=3.0, weight=0.5)
    tuned = recipe.steps[-1]
    assert isinstance(tuned, Finetune)
    assert (tuned.temperature, tuned.distil_weight) == (3.0, 0.5)
    assert replace(tuned, temperature=4.0, distil_weight=0.0) == one_shot(half(0.9), FEW).steps[-1]


@pytest.mark.parametrize("rewind", ["init", "early"])
def test_a_ticket_is_pruned_trained_and_rewound_round_by_round(rewind: str) -> None:
    recipe = lottery_ticket(half(0.9), 2, FEW, rewind=rewind, epochs_early=3)
    assert [step.key for step in recipe.steps] == ["prune", "rewind", "finetune"] * 2
    assert recipe.steps[1] == Rewind(rewind, 3)
    assert recipe.n_epochs == 14


def test_a_ticket_and_its_controls_differ_only_in_where_the_last_round_begins(
    sample: LoadedModel, digits: Dataset
) -> None:
    ways = {name: lottery_ticket(half(0.9), 2, replace(FEW, epochs=2), control=name) for name in ("", "reinit")}
    ways["shuffle_mask"] = lottery_ticket(half(0.9), 2, replace(FEW, epochs=2), control="shuffle_mask")
    found = {name: ended(sample, recipe, digits) for name, recipe in ways.items()}
    masks = {name: result.state.mask_digest for name, result in found.items()}
    assert masks[""] == masks["reinit"] != masks["shuffle_mask"]
    counts = [
        [result.plan.n_pruned_in(layer) for layer in result.plan.layers] for result in found.values() if result.plan
    ]
    assert counts[0] == counts[1] == counts[2]
    assert len({result.model.digest for result in found.values()}) == 3
    assert {result.state.epochs for result in found.values()} == {4}
    assert isinstance(ways["reinit"].steps[4], Reinit)
    assert isinstance(ways["shuffle_mask"].steps[4], ShuffleMask)


def test_a_control_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ExplorerError, match="no control"):
        lottery_ticket(half(0.9), 2, FEW, control="luck")


# -- settings that suit a model -----------------------------------------------------------------


def test_bundled_models_know_how_they_were_trained(sample: LoadedModel) -> None:
    training = training_of(sample)
    assert (training.epochs, training.learning_rate, training.shift, training.keep) == (150, 2e-3, 1.0, "last")
    tuning = tuning_for(sample, None, epochs=5)
    assert (tuning.epochs, tuning.keep, tuning.shift) == (5, "best", 1.0)


def test_data_without_pictures_are_not_moved_and_without_labels_the_teacher_is_alone(sample: LoadedModel) -> None:
    data = flowers()
    assert tuning_for(sample, data).shift == training_of(sample, data).shift == 0.0
    blind = replace(data, splits={name: replace(s, y=None) for name, s in data.splits.items()})
    assert tuning_for(two(), blind).distil_weight == training_of(two(), blind).distil_weight == 1.0
    assert tuning_for(two(), data).why_not(two(), data) is None


# -- the dense control -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["digits-mlp", "digits-cnn", "digits-resnet", "digits-gru", "digits-vit"])
def test_the_narrower_network_is_the_nearest_of_its_family(name: str) -> None:
    model = ex.load(name)
    target = model.n_parameters // 5
    found = n_parameters_of(narrower(model, target))
    assert abs(found - target) < 0.25 * target
    assert n_parameters_of(narrower(model, model.n_parameters)) == model.n_parameters


def test_a_network_that_cannot_be_narrowed_says_so() -> None:
    with pytest.raises(ExplorerError, match="cannot be made narrower"):
        narrower(two(), 10)


def test_the_dense_control_has_the_epochs_of_the_dense_network_and_of_what_it_is_compared_with(
    sample: LoadedModel,
) -> None:
    recipe = dense_from_scratch(sample, sample.n_parameters // 10, training_of(sample, epochs=3), seed=2)
    narrow, trained = recipe.steps
    assert isinstance(narrow, Narrow)
    assert isinstance(trained, Finetune)
    assert narrow.n_parameters == n_parameters_of(narrower(sample, sample.n_parameters // 10))
    assert trained.epochs == 150 + 3
    with pytest.raises(ExplorerError, match="cannot be made narrower"):
        dense_from_scratch(two(), 10, FEW)


def test_a_narrower_network_is_trained_from_scratch_and_compared_with_the_dense_one(
    sample: LoadedModel, digits: Dataset
) -> None:
    recipe = Recipe((Narrow(sample.n_parameters // 10), Finetune(epochs=3, learning_rate=4e-3)), seed=2)
    *_, last = recover(sample, recipe, digits)
    found = last.recovered
    assert found is not None
    assert abs(found.model.n_parameters - sample.n_parameters / 10) < 0.1 * sample.n_parameters / 10
    assert found.plan is None
    assert (found.as_pruned, found.tuned) == (None, last.accuracy)
    assert found.protocol["dense_digest"] == sample.digest
    assert found.dense is not None
    assert last.drop is not None
    assert last.accuracy is not None
    assert last.drop.value == pytest.approx(found.dense.value - last.accuracy.value)
    assert last.accuracy.value > 0.5
    assert ended(sample, recipe, digits).model.digest == found.model.digest
    assert ended(sample, replace(recipe, seed=3), digits).model.digest != found.model.digest


@pytest.mark.parametrize("steps", [(Prune(half()), Narrow(90)), (Narrow(90), Rewind()), (Narrow(90), Prune(half()))])
def test_a_narrower_network_is_neither_pruned_nor_taken_back(steps: tuple[Step, ...]) -> None:
    with pytest.raises(ExplorerError, match="narrow comes first"):
        Recipe(steps)
