"""The step that rounds weights, in recipes."""

from __future__ import annotations

import torch

from explorer import data, models
from explorer.pruning.spec import PruneSpec
from explorer.recovery.quantization import quantized_weights
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.state import Recovered
from explorer.recovery.steps import Prune, Quantize

HALF = PruneSpec("weight", "lp_norm", "global:sparsity=0.5")


def done(recipe: Recipe) -> Recovered:
    model = models.load("digits-mlp")
    *_, last = recover(model, recipe, data.load("digits", model=model))
    assert last.recovered is not None
    return last.recovered


def levels(recovered: Recovered) -> list[int]:
    """How many different values each row of the first layer has."""
    weights = recovered.model.weights["fc1.weight"]
    return [len(row.unique()) for row in weights]


def test_a_recipe_with_it_is_json_and_back() -> None:
    recipe = Recipe((Prune(HALF), Quantize(4)))
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe(("quantize:bits=4",)).steps == (Quantize(4),)  # type: ignore[arg-type]


def test_pruned_then_quantized_keeps_the_zeros_and_lies_on_the_grid() -> None:
    found = done(Recipe((Prune(HALF), Quantize(4))))
    assert found.plan is not None
    assert found.n_revived == 0
    assert max(levels(found)) <= 15
    masks = found.plan.masks
    assert all(not bool(found.model.weights[name][~mask].any()) for name, mask in masks.items())


def test_quantizing_twice_changes_nothing() -> None:
    once, twice = done(Recipe((Quantize(4),))), done(Recipe((Quantize(4), Quantize(4))))
    assert once.model.digest == twice.model.digest


def test_quantized_then_pruned_stays_on_the_grid() -> None:
    found = done(Recipe((Quantize(4), Prune(HALF))))
    assert max(levels(found)) <= 15
    assert found.plan is not None
    assert found.plan.sparsity == 0.5


def test_the_step_gives_the_weights_of_the_plain_function() -> None:
    model = models.load("digits-mlp")
    found = done(Recipe((Quantize(3),)))
    expected = quantized_weights(model, bits=3)
    assert all(torch.equal(found.model.weights[name], tensor) for name, tensor in expected.items())
