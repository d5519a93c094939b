"""Networks are called alike everywhere: in their own dtype, and never with labels of another task."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError
from explorer.pruning.gathering import why_no_evidence
from explorer.pruning.running import class_scores, fitting, output_of, runnable, why_no_classes
from explorer.pruning.scoring import score
from explorer.pruning.spec import PruneSpec
from explorer.recovery.recipe import Recipe, recover
from explorer.recovery.steps import Finetune
from explorer.types import Dataset, LoadedModel, Split
from tests.recovery.tiny import flowers, two


def in_double(model: LoadedModel) -> LoadedModel:
    module = copy.deepcopy(runnable(model)).double()
    weights = {name: p.detach() for name, p in module.named_parameters()}
    return replace(model, module=module, weights=weights, digest=f"{model.digest}-double")


def with_labels(data: Dataset, labels: Tensor) -> Dataset:
    splits = {name: Split(split.name, split.x, labels) for name, split in data.splits.items()}
    return replace(data, splits=splits, digest="other-labels")


NUMBERS = with_labels(flowers(), torch.rand(60, 3))


@pytest.mark.parametrize("criterion", ["taylor", "obd", "wanda", "obs", "movement"])
def test_a_network_in_double_is_ranked_like_the_same_in_float(criterion: str) -> None:
    spec = PruneSpec("weight", criterion)  # type: ignore[arg-type]
    float_, double = (score(model, spec, flowers()) for model in (two(), in_double(two())))
    for name, values in float_.values.items():
        assert torch.allclose(values.double(), double.values[name].double(), rtol=1e-2, atol=1e-4)


def test_a_network_in_double_is_trained_in_double() -> None:
    *_, last = recover(in_double(two()), Recipe((Finetune(epochs=1), "refresh")), flowers())  # type: ignore[arg-type]
    assert last.recovered is not None
    assert {t.dtype for t in last.recovered.model.weights.values()} == {torch.float64}


def test_tokens_keep_their_type_and_numbers_take_that_of_the_network() -> None:
    module = nn.Linear(2, 2).double()
    assert fitting(torch.zeros(1, 2), module).dtype == torch.float64
    assert fitting(torch.zeros(1, 2, dtype=torch.int64), module).dtype == torch.int64
    assert fitting(torch.zeros(1, 2), nn.ReLU()).dtype == torch.float32


@pytest.mark.parametrize("wrap", [lambda y: y, lambda y: (y, 1), lambda y: {"loss": 0, "logits": y}])
def test_scores_are_found_in_whatever_a_network_returns(wrap: object) -> None:
    scores = torch.rand(4, 3)
    assert output_of(wrap(scores)) is scores  # type: ignore[operator]


def test_scores_of_tokens_are_no_row_of_class_scores() -> None:
    with pytest.raises(ExplorerError, match="no row of class scores"):
        class_scores(torch.rand(4, 5, 3))


def test_only_one_whole_number_a_sample_is_a_class() -> None:
    assert why_no_classes(None) is None
    assert why_no_classes(torch.tensor([0, 2])) is None
    assert "numbers" in str(why_no_classes(torch.tensor([0.5, 2.0])))
    assert "several" in str(why_no_classes(torch.tensor([[0, 2]])))


@pytest.mark.parametrize("criterion", ["taylor", "obd", "fisher", "snip"])
def test_a_criterion_that_follows_the_loss_refuses_numbers_to_predict(criterion: str) -> None:
    spec = PruneSpec("weight", criterion)  # type: ignore[arg-type]
    assert "labels are numbers" in str(why_no_evidence(two(), spec.criterion, NUMBERS))
    with pytest.raises(ExplorerError, match="labels are numbers"):
        score(two(), spec, NUMBERS)


def test_a_criterion_that_looks_at_inputs_alone_takes_numbers_to_predict() -> None:
    assert score(two(), PruneSpec("weight", "wanda"), NUMBERS).n_seen == 60  # type: ignore[arg-type]


def test_nothing_is_trained_as_classes_that_is_none() -> None:
    with pytest.raises(ExplorerError, match="Recovery trains classifiers"):
        recover(two(), Recipe((Finetune(epochs=1),)), NUMBERS)
