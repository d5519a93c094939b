"""Networks with several inputs, by position or by name, against a plain loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from explorer.engine.cells import evaluate_edits
from explorer.engine.edits import Edit
from explorer.engine.evaluator import Evaluator
from explorer.errors import ExplorerError
from explorer.types import InputSet, Split
from tests.engine import models
from tests.every import for_each

every_model = for_each("name", list(models.SEVERAL))

pytestmark = pytest.mark.usefixtures("one_thread_here")


@every_model
def test_an_evaluation_of_several_inputs_counts_what_a_plain_loop_counts(name: str) -> None:
    model = models.load(name)
    split = models.split(model)
    evaluator = Evaluator(model, split)
    assert evaluator.path.startswith("prefix cache")
    for sparsity in (0.0, 0.3, 0.6, 0.9):
        plan = models.plan(model, sparsity)
        outputs = models.plain_logits(model, plan, split.x)
        evaluation = evaluator.final(plan)
        assert torch.equal(evaluation.predictions, outputs.argmax(dim=1))
        assert evaluation.loss is not None
        assert evaluation.loss.value == pytest.approx(float(functional.cross_entropy(outputs, split.y)), rel=1e-5)


@every_model
def test_moving_one_layer_after_another_reuses_what_is_before_it_and_counts_right(name: str) -> None:
    model = models.load(name)
    split = models.split(model, 200)
    evaluator = Evaluator(model, split)
    base = models.plan(model, 0.4)
    evaluator.final(base)
    for key in reversed([key for key, weight in model.weights.items() if weight.dim() > 1]):
        edit = models.plan(model, 0.7, only=key)
        plan = replace(base, masks={**base.masks, **edit.masks}, digest=key)
        assert torch.equal(evaluator.final(plan).predictions, models.plain_logits(model, plan, split.x).argmax(dim=1))
    assert evaluator.cache.n_bytes > 0


@every_model
def test_a_scan_over_several_inputs_counts_what_a_plain_loop_counts(name: str) -> None:
    model = models.load(name)
    split = models.split(model, 150)
    evaluator = Evaluator(model, split)
    plans = [models.plan(model, 0.8, only=key) for key, weight in model.weights.items() if weight.dim() > 1]
    edits = [Edit(evaluator.ready, plan.masks) for plan in plans]
    results = dict(evaluate_edits(evaluator, edits))
    for index, plan in enumerate(plans):
        outputs = models.plain_logits(model, plan, split.x)
        assert torch.equal(results[index].predictions, outputs.argmax(dim=1))


def test_an_input_that_is_left_out_has_the_default_of_the_network() -> None:
    model = models.load("words")
    whole = models.split(model, 80)
    assert isinstance(whole.x, InputSet)
    split = Split("tune", whole.x.named["ids"], whole.y)
    evaluator = Evaluator(model, split)
    assert evaluator.path.startswith("prefix cache")
    outputs = models.plain_logits(model, None, split.x)
    assert torch.equal(evaluator.dense().predictions, outputs.argmax(dim=1))


def test_inputs_without_a_common_number_of_samples_are_refused() -> None:
    with pytest.raises(ExplorerError, match="no common first dimension"):
        InputSet((torch.zeros(3, 2), torch.zeros(4, 2)))


def test_every_tensor_of_a_set_is_cut_alike() -> None:
    x = models.samples("words", 10)
    assert isinstance(x, InputSet)
    for which in (slice(2, 5), torch.tensor([1, 7]), torch.arange(10) % 3 == 0):
        assert all(torch.equal(x[which].named[key], tensor[which]) for key, tensor in x.named.items())
    assert [len(x[a:b]) for a, b in pairwise((0, 4, 10))] == [4, 6]
