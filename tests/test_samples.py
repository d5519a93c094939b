"""The bundled models are what their manifest says they are."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
import torch

from explorer import data, models
from explorer.errors import ExplorerError
from explorer.models import sample
from explorer.types import tensors_digest
from sample_models.train import RECIPES, accuracy, perplexity, started, trained
from tests.every import for_each

NAMES = ["digits-cnn", "digits-gru", "digits-mlp", "digits-resnet", "digits-vit", "topics-gpt"]
FLOOR = {"digits-gru": 0.95, "digits-vit": 0.95, "topics-gpt": 0.58}


def test_the_six_samples_are_there_and_the_one_to_start_with_comes_first() -> None:
    assert models.samples() == NAMES


@for_each("name", NAMES)
@for_each("split", ["fit", "tune", "test"])
def test_a_sample_has_the_stated_accuracy_on_each_split(name: str, split: str) -> None:
    model = models.load(name)
    found = data.load(model.data, model=model).splits[split]
    assert model.module is not None
    measured = accuracy(model.module, found)
    # One sample of slack: another processor may round a tie the other way.
    assert abs(measured - model.meta["accuracy"][split]) <= 1 / len(found) + 1e-6


def test_the_language_sample_has_the_stated_perplexity_on_each_split() -> None:
    model = models.load("topics-gpt")
    assert model.module is not None
    for split in ("tune", "test"):
        measured = perplexity(model.module, data.load("topics", model=model).splits[split])
        assert measured == pytest.approx(model.meta["perplexity"][split], abs=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_accurate_enough_on_the_locked_split(name: str) -> None:
    assert sample.manifest()[name]["accuracy"]["test"] >= FLOOR.get(name, 0.97)


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_describes_the_data_as_it_is(name: str) -> None:
    entry = sample.manifest()[name]
    found = data.load(entry["data"])
    assert entry["data_digest"] == found.digest
    sizes = (
        {"fit": 897, "tune": 450, "test": 450} if entry["data"] == "digits" else {"fit": 1740, "tune": 608, "test": 576}
    )
    assert entry["n"] == sizes
    assert entry["licence"] == "Apache-2.0"


@pytest.mark.parametrize("name", NAMES)
def test_the_checksums_are_those_of_the_files(name: str) -> None:
    entry = sample.manifest()[name]
    for key, suffix in (("sha256", "safetensors"), ("init_sha256", "init.safetensors")):
        content = (sample.FOLDER / f"{name}.{suffix}").read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry[key]
        assert len(content) < 3_500_000


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_weights_are_those_the_seed_gives(name: str) -> None:
    module = started(next(recipe for recipe in RECIPES if recipe.architecture == name))
    start = models.initial_weights(name)
    once = {key: tensor for key, tensor in module.state_dict().items() if key in start}
    assert len(list(module.parameters())) <= len(start)
    assert tensors_digest(start) == tensors_digest(once)
    assert tensors_digest(start) != models.load(name).digest


@pytest.mark.slow
def test_training_again_gives_the_stated_accuracy_within_half_a_point() -> None:
    recipe = next(r for r in RECIPES if r.architecture == "digits-mlp")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        module, _ = trained(recipe, data.load("digits"))
    finally:
        torch.set_num_threads(threads)
    measured = accuracy(module, data.load("digits").splits["test"])
    assert abs(measured - sample.manifest()["digits-mlp"]["accuracy"]["test"]) <= 0.005


def test_a_sample_by_path_is_the_same_model() -> None:
    by_path = models.load(str(sample.FOLDER / "digits-vit.safetensors"))
    assert by_path.digest == models.load("digits-vit").digest
    assert by_path.data == "digits"


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(sample.FOLDER, tmp_path / "s")
    with (tmp_path / "s/digits-cnn.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    monkeypatch.setattr(sample, "FOLDER", tmp_path / "s")
    with pytest.raises(ExplorerError, match="was changed"):
        models.load("digits-cnn")


def test_each_load_gives_a_module_of_its_own() -> None:
    first, second = models.load("digits-mlp"), models.load("digits-mlp")
    assert first.module is not second.module
    assert first.weights["fc1.weight"].data_ptr() != second.weights["fc1.weight"].data_ptr()
