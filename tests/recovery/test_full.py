"""A full network is trained here as the bundled ones were, and its file is the beginning of a lineage."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

import explorer as ex
from explorer.models.lineage import lineage_of
from explorer.recovery.defaults import training_of
from explorer.recovery.full import settings_for, train, untrained
from explorer.recovery.state import Recovered
from explorer.recovery.steps import Finetune
from explorer.types import Dataset
from sample_models import train as outside


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return ex.load_data("digits", model=ex.load("digits-mlp"))


def trained(data: Dataset, **changes: object) -> Recovered:
    settings = settings_for(untrained("digits-mlp"), data, **changes)
    *_, last = train("digits-mlp", data, training=settings, progress=False)
    assert last.recovered is not None
    return last.recovered


def test_two_epochs_are_those_of_the_script_that_trained_the_bundled_network(digits: Dataset) -> None:
    usual = next(recipe for recipe in outside.RECIPES if recipe.architecture == "digits-mlp")
    module, _ = outside.trained(replace(usual, epochs=2), digits)
    weights = trained(digits, epochs=2, keep="last").model.weights
    assert all(torch.equal(weights[name], tensor) for name, tensor in module.state_dict().items())


@pytest.mark.slow
def test_the_whole_training_gives_the_bundled_weights_bit_for_bit(digits: Dataset) -> None:
    sample, own = ex.load("digits-mlp"), trained(digits, keep="last").model
    assert all(torch.equal(own.weights[name], tensor) for name, tensor in sample.weights.items())
    assert own.digest == sample.digest


def test_a_training_that_was_interrupted_goes_on_to_the_same_bits_and_counts_all_its_seconds(
    digits: Dataset, tmp_path: Path
) -> None:
    settings = settings_for(untrained("digits-mlp"), digits, epochs=4)
    whole = trained(digits, epochs=4)
    for n_lines in (2, None):
        lines = []
        running = train("digits-mlp", digits, training=settings, checkpoints=tmp_path, progress=False)
        for line in running:
            lines.append(line)
            if line.complete and line.epoch == n_lines:
                break
    again = lines[-1].recovered
    assert again is not None
    assert again.model.digest == whole.model.digest
    assert [line.epoch for line in again.history] == [1, 2, 3, 4]
    first, second = again.history[:2], again.history[2:]
    assert again.seconds == pytest.approx(first[-1].seconds + second[-1].seconds)


def test_the_file_opens_as_a_dense_model_and_what_is_made_of_it_names_it_as_its_beginning(
    digits: Dataset, tmp_path: Path
) -> None:
    model = trained(digits, epochs=2).model
    ex.save(model, ex.plan(model, ex.PruneSpec()), tmp_path / "full.safetensors")
    opened = ex.load(str(tmp_path / "full.safetensors"))
    assert opened.digest == model.digest
    assert lineage_of(opened) is None
    about = opened.meta["trained"]
    assert (about["epochs"], about["data"], about["keep"], about["data_digest"]) == (2, "digits", "best", digits.digest)
    assert about["seconds"] > 0
    again = asdict(training_of(opened, digits, keep="best", distil_weight=0.0))
    assert again == {
        name: value for name, value in asdict(settings_for(untrained("digits-mlp"), digits, epochs=2)).items()
    }
    ex.save(opened, ex.plan(opened, ex.PruneSpec(allocation="global:sparsity=0.5")), tmp_path / "half.safetensors")
    half = ex.load(str(tmp_path / "half.safetensors"))
    lineage = lineage_of(half)
    assert lineage is not None
    assert lineage.digest == model.digest
    assert half.meta["trained"] == about


def test_what_cannot_be_trained_is_refused_in_a_sentence(digits: Dataset) -> None:
    with pytest.raises(ex.ExplorerError, match="no architecture called"):
        train("digits-none")
    ten = untrained("digits-mlp")
    many = replace(digits, classes=tuple(map(str, range(12))))
    with pytest.raises(ex.ExplorerError, match="has 12"):
        list(train(ten, many, training=Finetune(epochs=1)))
