"""Files of weights in networks of timm and torchvision: they answer as the libraries' own do, and say which fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from explorer import models
from explorer.errors import ExplorerError
from explorer.export.weights import write_pruned
from explorer.models.libraries.fingerprints import proposed
from explorer.models.libraries.networks import library_of
from explorer.pruning.plan import plan
from explorer.pruning.spec import PruneSpec
from explorer.types import LoadedModel
from tests.models.weights_on_disk import assert_plain

timm: Any = pytest.importorskip("timm")
torchvision: Any = pytest.importorskip("torchvision")


def of_timm(n_classes: int) -> nn.Module:
    torch.manual_seed(0)
    module: nn.Module = timm.create_model("mobilenetv3_small_050", num_classes=n_classes)
    return module.eval()


def of_torchvision(n_classes: int) -> nn.Module:
    torch.manual_seed(0)
    module: nn.Module = torchvision.models.get_model("squeezenet1_1", weights=None, num_classes=n_classes)
    return module.eval()


def same_answers(model: LoadedModel, module: nn.Module) -> bool:
    assert model.module is not None
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return torch.equal(model.module(x), module(x))


@pytest.mark.slow
def test_a_file_runs_in_the_network_that_is_named_for_as_many_classes_as_it_has(tmp_path: Path) -> None:
    cases = {"timm:mobilenetv3_small_050": (of_timm, 7), "torchvision:squeezenet1_1": (of_torchvision, 5)}
    for arch, (build, n_classes) in cases.items():
        module = build(n_classes)
        torch.save({"state_dict": {f"model.{k}": v for k, v in module.state_dict().items()}}, tmp_path / "w.pt")
        model = models.load(str(tmp_path / "w.pt"), arch=arch)
        assert same_answers(model, module), arch
        assert model.n_classes == n_classes
        assert "classes" not in model.meta


def test_how_pictures_are_prepared_and_what_classes_are_called_is_that_of_the_library(tmp_path: Path) -> None:
    save_file(of_torchvision(1000).state_dict(), tmp_path / "a.safetensors")
    model = models.load(str(tmp_path / "a.safetensors"), arch="torchvision:squeezenet1_1")
    weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
    assert model.meta["classes"] == weights.meta["categories"]
    assert (model.meta["mean"], model.meta["std"]) == (weights.transforms().mean, weights.transforms().std)
    prepared = model.meta["preprocess"]
    assert (prepared["resize"], prepared["crop"], prepared["interpolation"]) == (256, 224, "bilinear")
    module = of_timm(3)
    save_file(module.state_dict(), tmp_path / "b.safetensors")
    model = models.load(str(tmp_path / "b.safetensors"), arch="timm:mobilenetv3_small_050")
    config = timm.data.resolve_model_data_config(module)
    assert (tuple(model.meta["mean"]), tuple(model.meta["std"])) == (config["mean"], config["std"])
    assert model.meta["preprocess"]["resize"] == int(224 / config["crop_pct"])


def test_a_file_without_an_architecture_proposes_those_of_the_same_names_and_shapes(tmp_path: Path) -> None:
    save_file(of_torchvision(5).state_dict(), tmp_path / "w.safetensors")
    model = models.load(str(tmp_path / "w.safetensors"))
    assert model.meta["fits"] == ["torchvision:squeezenet1_1"]
    assert "torchvision:squeezenet1_1" in (model.why_not_runnable or "")
    assert "timm:mobilenetv3_small_050" in proposed(of_timm(9).state_dict())
    other = dict(of_timm(9).state_dict()) | {"conv_stem.weight": torch.ones(16, 3, 5, 5)}
    assert proposed(other) == []


def test_a_pruned_file_opens_again_in_its_network(tmp_path: Path) -> None:
    save_file(of_torchvision(5).state_dict(), tmp_path / "w.safetensors")
    model = models.load(str(tmp_path / "w.safetensors"), arch="torchvision:squeezenet1_1")
    half = plan(model, PruneSpec("weight", "lp_norm:p=1", "global:sparsity=0.5"))
    write_pruned(model, half, tmp_path / "pruned.safetensors")
    again = models.load(str(tmp_path / "pruned.safetensors"))
    assert again.module is not None
    assert all(torch.equal(again.weights[name] != 0, mask) for name, mask in half.masks.items())


@pytest.mark.slow
def test_what_does_not_fit_or_is_not_there_is_refused_in_a_sentence(tmp_path: Path) -> None:
    save_file(of_torchvision(5).state_dict(), tmp_path / "w.safetensors")
    cases = {
        "torchvision:squeezenet1_0": "does not fit 'torchvision:squeezenet1_0'",
        "torchvision:squeezenet1_9": "Perhaps squeezenet1_1, squeezenet1_0",
        "timm:resnet_that_is_none": "has no classifier 'resnet_that_is_none'",
        "timm:hf-hub:org/evil": "has no classifier",
    }
    for arch, words in cases.items():
        with pytest.raises(ExplorerError) as caught:
            models.load(str(tmp_path / "w.safetensors"), arch=arch)
        assert_plain(caught.value)
        assert words in str(caught.value), arch


def test_weights_of_the_library_are_not_downloaded_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    for address in ("timm:mobilenetv3_small_050", "torchvision:squeezenet1_1"):
        with pytest.raises(ExplorerError, match="is not on this machine. Nothing is downloaded unless you say so"):
            models.load(address)
    url = torchvision.models.SqueezeNet1_1_Weights.DEFAULT.url
    (tmp_path / "checkpoints").mkdir()
    torch.save(of_torchvision(1000).state_dict(), tmp_path / "checkpoints" / url.rpartition("/")[2])
    assert same_answers(models.load("torchvision:squeezenet1_1"), of_torchvision(1000))


def test_other_architectures_are_of_no_library() -> None:
    assert [library_of(name) for name in (None, "digits-cnn", "package.module:factory")] == [None, None, None]
